import type { Labels, MetricFamily } from "./exposition.ts";
import { type Counts, produceBounds } from "./request-metrics.ts";

interface Counter {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
}

/** By the name under which they are counted. */
const counters: Readonly<Record<string, Counter>> = {
  requests: {
    name: "gavel_requests_total",
    help: "Requests answered, by route, method and status.",
    labels: ["route", "method", "status"],
  },
  refusals: {
    name: "gavel_refusals_total",
    help: "Requests answered with a problem, by its code.",
    labels: ["code"],
  },
  events: {
    name: "gavel_events_total",
    help: "Events that clients sent: accepted ones are in the log.",
    labels: ["outcome"],
  },
  rejections: {
    name: "gavel_rejected_events_total",
    help: "Events that were not taken, by the code of the reason.",
    labels: ["code"],
  },
};

/** The figures of all isolates, as Prometheus is told them. What another version counted and this one does not know is left out. */
export function requestFamilies(counts: Counts): MetricFamily[] {
  const entries = Object.entries(counts).sort(([left], [right]) => (left < right ? -1 : 1));
  const families = Object.entries(counters).map(([counted, { labels, ...family }]): MetricFamily => {
    const samples = entries.flatMap(([key, value]): [Labels, number][] => {
      const [name, ...values] = key.split("|");
      if (name !== counted || values.length !== labels.length) return [];
      return [[Object.fromEntries(labels.map((label, index) => [label, values[index] ?? ""])), value]];
    });
    return { ...family, type: "counter", samples };
  });
  return [...families, produceFamily(counts)];
}

function produceFamily(counts: Counts): MetricFamily {
  let below = 0;
  const buckets = [...produceBounds, "+Inf"].map((le): MetricFamily["samples"][number] => {
    below += counts[`produce|${le}`] ?? 0;
    return [{ le }, below, "_bucket"];
  });
  return {
    name: "gavel_produce_duration_seconds",
    help: "How long the log took to acknowledge what a request wrote, or to fail, retries included.",
    type: "histogram",
    samples: [...buckets, [{}, counts["produce-seconds"] ?? 0, "_sum"], [{}, below, "_count"]],
  };
}

import type { FeedFigures } from "../../durable-objects/feed/rpc.ts";
import type { MetricFamily } from "./exposition.ts";

/**
 * Figures of every feed, by its number.
 * @param told null for one that does not answer: it has no sample but that
 */
export function feedMetrics(told: readonly (FeedFigures | null)[]): MetricFamily[] {
  const of = (name: keyof FeedFigures): MetricFamily["samples"] =>
    told.flatMap((figures, feed) => (figures === null ? [] : [[{ feed }, figures[name]] as const]));
  return [
    gauge(
      "up",
      "1 where the feed's object answers.",
      told.map((figures, feed) => [{ feed }, Number(figures !== null)]),
    ),
    gauge("connections", "Clients that follow items live.", of("connections")),
    gauge("items", "Items that they follow.", of("items")),
  ];
}

function gauge(name: string, help: string, samples: MetricFamily["samples"]): MetricFamily {
  return { name: `gavel_feed_${name}`, help, type: "gauge", samples };
}

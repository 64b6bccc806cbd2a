import type { BenchmarkOptions, Figure } from "../harness/figures.ts";
import type { SystemOptions } from "../harness/system.ts";
import { measureLatency } from "../latency.ts";
import { measureSustained } from "../sustained.ts";
import type { KafkaBenchmark } from "./benchmark.ts";

/** (k5) What (d) measures, over Kafka. */
export const latency: KafkaBenchmark = {
  title: "(k5) acknowledged until visible over Kafka, 500 single bids/s",
  run: (setting, options) =>
    overBothLogs(setting.systemFor("latency"), options, (system) =>
      measureLatency(options, { p50: 10, p99: 40 }, system),
    ),
};

/** (k6) What (c) measures, over Kafka. */
export const sustained: KafkaBenchmark = {
  title: "(k6) sustained over Kafka, Nexmark's mix with apply and outputs",
  run: (setting, options) =>
    overBothLogs(setting.systemFor("sustained"), options, (system) =>
      measureSustained(options, { "acknowledged and applied": 25_000 }, system),
    ),
};

/** Over Kafka, and right after it over the embedded log: what of a figure is the log's and what the machine's. */
async function overBothLogs(
  kafka: SystemOptions,
  { progress }: BenchmarkOptions,
  measure: (system: SystemOptions) => Promise<Figure[]>,
): Promise<Figure[]> {
  const figures = await measure(kafka);
  progress("the same over the embedded log:");
  const embedded = await measure({});
  // A goal is of Kafka's figure alone.
  const control = embedded.map(({ name, unit, values }) => ({
    name: `${name}, over the embedded log`,
    unit,
    values,
  }));
  return [...figures, ...control];
}

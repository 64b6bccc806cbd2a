/**
 * `npm run bench:kafka`: what Gavel and its bridge do over a real Kafka, each peer in the same run.
 * `npm run bench:kafka -- --help` lists the benchmarks. Figures: docs/performance.md, "Over Kafka".
 */
import { parseArgs } from "node:util";
import { exitWith, PlainError } from "../../local/problem.ts";
import { commonFlags, heedHelp, runBenchmarks, usageOf } from "../harness/command.ts";
import type { BenchmarkOptions } from "../harness/figures.ts";
import type { KafkaBenchmark } from "./benchmark.ts";
import { latency, sustained } from "./end-to-end.ts";
import { fetching } from "./fetch.ts";
import { batch, single } from "./produce.ts";
import { Setting } from "./setting.ts";
import { whole } from "./whole.ts";

const benchmarks: Readonly<Record<string, KafkaBenchmark>> = {
  single,
  batch,
  fetch: fetching,
  whole,
  latency,
  sustained,
};

const more = `  --brokers list  host:port[,host:port] of a Kafka to use, instead of a broker of the run's own;
                  what the run puts there is removed at its end
  --strimzi url   a Strimzi bridge in front of those brokers, which is measured as well
`;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { ...commonFlags, brokers: { type: "string" }, strimzi: { type: "string" } },
  });
  heedHelp(values, positionals, benchmarks, usageOf("npm run bench:kafka", benchmarks, more));
  const { brokers, strimzi } = values;
  if (strimzi !== undefined && brokers === undefined) {
    throw new PlainError("--strimzi needs --brokers: the brokers that the Strimzi bridge is in front of.");
  }
  const setting = await Setting.open(brokers?.split(","), strimzi?.replace(/\/$/, ""));
  try {
    const here = Object.entries(benchmarks).map(([name, benchmark]) => {
      const run = (options: BenchmarkOptions) => benchmark.run(setting, options);
      return [name, { title: benchmark.title, run }] as const;
    });
    await runBenchmarks(Object.fromEntries(here), positionals, values);
  } finally {
    await setting.close();
  }
}

main().catch(exitWith);

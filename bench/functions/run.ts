/**
 * `npm run bench:functions`: what driving functions costs, alone and beside a peer.
 * `npm run bench:functions -- --help` lists the benchmarks. Figures: docs/performance.md, "Functions".
 */
import { parseArgs } from "node:util";
import { exitWith } from "../../local/problem.ts";
import { commonFlags, heedHelp, runBenchmarks, usageOf } from "../harness/command.ts";
import type { Benchmark } from "../harness/figures.ts";
import { Setting } from "../kafka/setting.ts";
import { besideRestate } from "./beside-restate.ts";
import { keys } from "./keys.ts";
import { latency } from "./latency.ts";
import { rate } from "./rate.ts";

const more = `  --brokers list  host:port[,host:port] of a Kafka to use for (f4), instead of a broker of the run's own;
                  what the run puts there is removed at its end
`;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { ...commonFlags, brokers: { type: "string" } },
  });
  const benchmarks = { rate, keys, latency, restate: overKafka(values.brokers?.split(",")) };
  heedHelp(values, positionals, benchmarks, usageOf("npm run bench:functions", benchmarks, more));
  await runBenchmarks(benchmarks, positionals, values);
}

/** Kafka is there for as long as the one benchmark that needs it. */
function overKafka(brokers: readonly string[] | undefined): Benchmark {
  return {
    title: besideRestate.title,
    async run(options) {
      const setting = await Setting.open(brokers, undefined);
      try {
        return await besideRestate.run(setting, options);
      } finally {
        await setting.close();
      }
    },
  };
}

main().catch(exitWith);

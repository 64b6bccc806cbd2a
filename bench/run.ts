/**
 * `npm run bench`: all benchmarks, or those named. `npm run bench -- --help` lists them.
 * How each measures and what came out: docs/performance.md.
 */
import { mkdirSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { apply } from "./apply.ts";
import { batch } from "./batch.ts";
import { cost } from "./cost.ts";
import { growth } from "./growth.ts";
import { type Benchmark, type BenchmarkOptions, type Figure, tableOf } from "./harness/figures.ts";
import { describeMachine } from "./harness/machine.ts";
import { latency } from "./latency.ts";
import { single } from "./single.ts";
import { sustained } from "./sustained.ts";

const benchmarks: Readonly<Record<string, Benchmark>> = {
  single,
  batch,
  sustained,
  latency,
  apply,
  cost,
  growth,
};

const usage = `npm run bench [-- options] [names]

${Object.entries(benchmarks)
  .map(([name, { title }]) => `  ${name.padEnd(10)} ${title}`)
  .join("\n")}

  --scale n       multiplies sizes and durations; below 1 for a trial (1)
  --rounds n      rounds of which the median counts (3)
  --profiles dir  writes CPU profiles of the runtime there; the figures suffer from it
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    help: { type: "boolean", short: "h" },
    scale: { type: "string", default: "1" },
    rounds: { type: "string", default: "3" },
    profiles: { type: "string" },
  },
});

const unknown = positionals.filter((name) => !Object.hasOwn(benchmarks, name));
if (values.help === true || unknown.length > 0) {
  process.stdout.write(
    unknown.length > 0 ? `No benchmark is named ${unknown.join(", ")}.\n\n${usage}` : usage,
  );
  process.exit(unknown.length > 0 ? 1 : 0);
}

const profiles = values.profiles === undefined ? undefined : resolve(values.profiles);
if (profiles !== undefined) mkdirSync(profiles, { recursive: true });
const options: BenchmarkOptions = {
  scale: Number(values.scale),
  rounds: Number(values.rounds),
  profiles,
  progress: (line) => console.log(`  ${line}`),
};

console.log(`${describeMachine()}\n`);
const results: { title: string; figures: readonly Figure[] }[] = [];
for (const [name, benchmark] of Object.entries(benchmarks)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  console.log(benchmark.title);
  results.push({ title: benchmark.title, figures: await benchmark.run(options) });
}
console.log(`\n${tableOf(results)}`);

import { mkdirSync } from "node:fs";
import { resolve } from "node:path";
import { type Benchmark, type BenchmarkOptions, type Figure, tableOf } from "./figures.ts";
import { describeMachine } from "./machine.ts";

/** What every command of benchmarks takes, for `parseArgs`. */
export const commonFlags = {
  help: { type: "boolean", short: "h" },
  scale: { type: "string", default: "1" },
  rounds: { type: "string", default: "3" },
  profiles: { type: "string" },
} as const;

interface CommonValues {
  readonly help?: boolean;
  readonly scale: string;
  readonly rounds: string;
  readonly profiles?: string;
}

/** Benchmarks by the name that the command takes. */
type Benchmarks = Readonly<Record<string, Benchmark>>;
type Titles = Readonly<Record<string, Pick<Benchmark, "title">>>;

/** @param more lines of further options, each ending in a line break */
export function usageOf(command: string, benchmarks: Titles, more = ""): string {
  return `${command} [-- options] [names]

${Object.entries(benchmarks)
  .map(([name, { title }]) => `  ${name.padEnd(10)} ${title}`)
  .join("\n")}

  --scale n       multiplies sizes and durations; below 1 for a trial (1)
  --rounds n      rounds of which the median counts (3)
  --profiles dir  writes CPU profiles there; the figures suffer from it
${more}`;
}

/** Ends the process where only help was asked for, or where a name is unknown. */
export function heedHelp(
  { help }: CommonValues,
  names: readonly string[],
  benchmarks: Titles,
  usage: string,
): void {
  const unknown = names.filter((name) => !Object.hasOwn(benchmarks, name));
  if (help !== true && unknown.length === 0) return;
  process.stdout.write(
    unknown.length > 0 ? `No benchmark is named ${unknown.join(", ")}.\n\n${usage}` : usage,
  );
  process.exit(unknown.length > 0 ? 1 : 0);
}

/** Runs those named, or all of them, and prints the table of their figures, also where one fails. */
export async function runBenchmarks(
  benchmarks: Benchmarks,
  names: readonly string[],
  values: CommonValues,
): Promise<void> {
  const options = optionsOf(values);
  console.log(`${describeMachine()}\n`);
  const results: { title: string; figures: readonly Figure[] }[] = [];
  try {
    for (const [name, benchmark] of Object.entries(benchmarks)) {
      if (names.length > 0 && !names.includes(name)) continue;
      console.log(benchmark.title);
      results.push({ title: benchmark.title, figures: await benchmark.run(options) });
    }
  } finally {
    console.log(`\n${tableOf(results)}`);
  }
}

function optionsOf({ scale, rounds, profiles }: CommonValues): BenchmarkOptions {
  const directory = profiles === undefined ? undefined : resolve(profiles);
  if (directory !== undefined) mkdirSync(directory, { recursive: true });
  return {
    scale: Number(scale),
    rounds: Number(rounds),
    profiles: directory,
    progress: (line) => console.log(`  ${line}`),
  };
}

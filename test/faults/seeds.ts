/** Runs many seeds, up to the first that fails, and tells what happened in them. */
import { addFaults, faultNames, noFaults } from "./faults.ts";
import type { FaultCounts } from "./faults.ts";
import type { CoreConstructor } from "./object-host.ts";
import { simulate } from "./simulation.ts";
import { verify } from "./verification.ts";

export interface SeedsResult {
  readonly counts: FaultCounts;
  /** The first failing seed with what differs, and how to play it again. */
  readonly failure: string | null;
  readonly summary: string;
}

export async function runSeeds(first: number, count: number, core: CoreConstructor): Promise<SeedsResult> {
  const started = performance.now();
  const counts = noFaults();
  let steps = 0;
  for (let seed = first; seed < first + count; seed += 1) {
    const { problems, run } = await playSeed(seed, core);
    if (run !== null) {
      addFaults(counts, run.counts);
      steps += run.scheduler.steps;
    }
    if (problems.length === 0) continue;
    return {
      counts,
      failure: explain(seed, problems),
      summary: summarize(seed - first + 1, steps, counts, performance.now() - started),
    };
  }
  const summary = summarize(count, steps, counts, performance.now() - started);
  return { counts, failure: null, summary };
}

async function playSeed(
  seed: number,
  core: CoreConstructor,
): Promise<{ problems: string[]; run: Awaited<ReturnType<typeof simulate>> | null }> {
  try {
    const run = await simulate(seed, core);
    const problems = await verify(run, core);
    run.host.disk.close();
    return { problems, run };
  } catch (error) {
    return { problems: [error instanceof Error ? (error.stack ?? error.message) : String(error)], run: null };
  }
}

function explain(seed: number, problems: readonly string[]): string {
  const shown = problems.slice(0, 8).map((problem) => `  ${problem.slice(0, 2_000)}`);
  const more = problems.length > shown.length ? [`  and ${problems.length - shown.length} more`] : [];
  return [
    `seed ${seed} fails:`,
    ...shown,
    ...more,
    `replay it: SEED=${seed} npx vitest run --project faults test/faults/simulation.test.ts`,
  ].join("\n");
}

function summarize(seeds: number, steps: number, counts: FaultCounts, took: number): string {
  const faults = faultNames.map((name) => `  ${String(counts[name]).padStart(8)}  ${name}`);
  const seconds = (took / 1_000).toFixed(1);
  return [`${seeds} seeds, ${steps} steps, ${seconds} s; faults:`, ...faults].join("\n");
}

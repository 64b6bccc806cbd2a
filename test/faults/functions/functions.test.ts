/**
 * The seeded simulation of a group of functions. `SEEDS=5000` runs more seeds; `SEED=17` replays one.
 */
import { describe, expect, test } from "vitest";
import { addFaults, type Fault, noFaults } from "../faults.ts";
import { momentNames, Moments } from "./moments.ts";
import { deadLettersOf } from "./outputs.ts";
import { simulateFunctions } from "./simulation.ts";
import { verifyFunctions } from "./verification.ts";

const only = process.env["SEED"];
const seeds = Number(process.env["SEEDS"] ?? 300);

/** Faults that have to have happened in all the seeds together. */
const expected: readonly Fault[] = [
  "push dropped",
  "gap in offsets",
  "retention",
  "fetch failed",
  "produce timed out after effect",
  "produce landed after its time-out",
  "crash while waiting",
  "crash before a commit",
  "crash after a commit",
  "crash while starting",
  "wipe",
];

describe("a group of functions under faults", () => {
  test("calls of a key never overlap and follow offset order, and every record is done or a dead letter, also while an operator pauses, seeks, retries, skips and redrives", async () => {
    const first = only === undefined ? 1 : Number(only);
    const count = only === undefined ? seeds : 1;
    const counts = noFaults();
    const moments = new Moments();
    let calls = 0;
    for (let seed = first; seed < first + count; seed += 1) {
      const run = await simulateFunctions(seed).catch((error: unknown) => {
        throw new Error(`seed ${seed}`, { cause: error });
      });
      addFaults(counts, run.counts);
      run.moments.count("dead letter", deadLettersOf(run).length);
      moments.add(run.moments);
      calls += run.receiver.calls.length;
      const told = `seed ${seed}: ${JSON.stringify(run.kind)} ${JSON.stringify(run.functions)}`;
      expect(verifyFunctions(run), told).toEqual([]);
      run.host.disk.close();
    }
    console.log(`${count} seeds, ${calls} calls`, counts, moments.counts);
    if (only !== undefined) return;
    for (const name of expected) expect(counts[name], `no "${name}" in all seeds`).toBeGreaterThan(0);
    for (const name of momentNames)
      expect(moments.counts[name], `no "${name}" in all seeds`).toBeGreaterThan(0);
  });
});

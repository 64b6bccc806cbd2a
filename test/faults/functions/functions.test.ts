/**
 * The seeded simulation of a group of functions. `SEEDS=5000` runs more seeds; `SEED=17` replays one.
 */
import { describe, expect, test } from "vitest";
import { addFaults, type Fault, noFaults } from "../faults.ts";
import { simulateFunctions } from "./simulation.ts";
import { verifyFunctions } from "./verification.ts";

const only = process.env["SEED"];
const seeds = Number(process.env["SEEDS"] ?? 300);

/** Faults that have to have happened in all the seeds together. */
const expected: readonly Fault[] = [
  "push dropped",
  "gap in offsets",
  "fetch failed",
  "produce timed out after effect",
  "produce landed after its time-out",
  "crash while waiting",
  "crash before a commit",
  "crash after a commit",
  "crash while starting",
];

describe("a group of functions under faults", () => {
  test("calls of a key never overlap and follow offset order, and every record is done or a dead letter", async () => {
    const first = only === undefined ? 1 : Number(only);
    const count = only === undefined ? seeds : 1;
    const counts = noFaults();
    let calls = 0;
    for (let seed = first; seed < first + count; seed += 1) {
      const run = await simulateFunctions(seed).catch((error: unknown) => {
        throw new Error(`seed ${seed}`, { cause: error });
      });
      addFaults(counts, run.counts);
      calls += run.receiver.calls.length;
      expect(verifyFunctions(run), `seed ${seed}: ${JSON.stringify(run.functions)}`).toEqual([]);
      run.host.disk.close();
    }
    console.log(`${count} seeds, ${calls} calls`, counts);
    if (only !== undefined) return;
    for (const name of expected) expect(counts[name], `no "${name}" in all seeds`).toBeGreaterThan(0);
  });
});

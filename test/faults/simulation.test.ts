/**
 * The seeded simulation of one partition. `SEEDS=5000` runs more seeds; `SEED=17` replays one.
 */
import { describe, expect, test } from "vitest";
import { PartitionCore } from "../../durable-objects/partition-core.ts";
import { faultNames } from "./faults.ts";
import { runSeeds } from "./seeds.ts";
import { simulateCalm } from "./simulation.ts";
import { verify } from "./verification.ts";

const only = process.env["SEED"];
const seeds = Number(process.env["SEEDS"] ?? 1_000);
const calmSeeds = 50;
/** Far above the simulated latencies, far below the alarm that looks after what was left. */
const promptMs = 500;

describe("one partition under faults", () => {
  test("state and outputs equal the in-order run's, the rebuild's and the plain model's", async () => {
    const first = only === undefined ? 1 : Number(only);
    const count = only === undefined ? seeds : 1;
    const { counts, failure, summary } = await runSeeds(first, count, PartitionCore);
    console.log(summary);
    expect(failure).toBeNull();
    if (only !== undefined) return;
    for (const name of faultNames) {
      expect(counts[name], `no "${name}" in all seeds`).toBeGreaterThan(0);
    }
  });
});

describe("one partition with nothing failing", () => {
  test("what is pushed takes effect at once, and items close in time, with nobody sweeping", async () => {
    for (let seed = 1; seed <= calmSeeds; seed += 1) {
      const run = await simulateCalm(seed, PartitionCore);
      expect(await verify(run, PartitionCore), `seed ${seed}`).toEqual([]);
      expect(run.edges.slowestPush, `seed ${seed}`).toBeLessThan(promptMs);
      run.host.disk.close();
    }
  });
});

import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import type { CallRecord } from "../../../durable-objects/functions/rpc.ts";
import type { Invoke, Outcome } from "../../../src/functions/function.ts";
import { GroupWorld } from "./group-world.ts";

const worlds: GroupWorld[] = [];

function newWorld(): GroupWorld {
  const world = new GroupWorld();
  worlds.push(world);
  return world;
}

afterEach(() => {
  for (const world of worlds.splice(0)) world.stop();
});

const retry = { attempts: 3, maximumAgeMs: 600_000, firstDelayMs: 5, longestDelayMs: 10 };
const outcomes: Readonly<Record<string, Outcome>> = {
  bad: { status: "reject", reason: "never works" },
  later: { status: "retry", reason: "not now", delayMs: 300_000 },
};

/** Does what a record's key says; `slow` is under way until it is let go. */
function byKey(until: Promise<void>): Invoke {
  return async ({ records }) => {
    if (records.some(({ key }) => key === "slow")) await until;
    return { outcomes: records.map(({ key }) => outcomes[key] ?? { status: "done" as const }) };
  };
}

function newHold(): { readonly until: Promise<void>; readonly letGo: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { until: promise, letGo: resolve };
}

async function statuses(world: GroupWorld, offsets: readonly number[]): Promise<string[]> {
  return (await world.core.callsOf(offsets)).map(({ status }) => status);
}

describe("what a function has made of a record", () => {
  it("is told in every state, with attempts and times, and after an eviction as before", async () => {
    const world = newWorld();
    const { until, letGo } = newHold();
    world.add("f", byKey(until), {
      retry,
      batch: { count: 1, characters: 10_000, waitMs: 0, mixesKeys: false },
    });
    const keys = ["good", "bad", "later", "later", "slow", "slow"];
    const from = Date.now();
    world.publish(keys.length, (index) => keys[index] ?? "");
    await world.start();
    void world.core.wakeFunctions().catch(() => undefined);
    const expected = ["done", "dead-lettered", "parked", "waiting", "running", "waiting", "not-yet"];
    const offsets = [0, 1, 2, 3, 4, 5, 6];
    await world.until("all but the slow ones are over", async () => {
      return JSON.stringify(await statuses(world, offsets)) === JSON.stringify(expected);
    });
    const told = await world.core.callsOf(offsets);
    expect(told.map(({ attempts }) => attempts)).toEqual([1, 1, 1, 0, 1, 0, 0]);
    expect(told.every((one) => one.function === "f")).toBe(true);
    const [done, dead, , , running] = told as [CallRecord, CallRecord, CallRecord, CallRecord, CallRecord];
    for (const { endedAt = 0, startedAt = 0 } of [done, dead]) {
      expect(startedAt).toBeGreaterThanOrEqual(from);
      expect(endedAt).toBeGreaterThanOrEqual(startedAt);
      expect(endedAt).toBeLessThanOrEqual(Date.now());
    }
    expect(running.startedAt).toBeGreaterThanOrEqual(from);
    expect(running).not.toHaveProperty("endedAt");
    await sleep(100);
    await world.restart();
    const again = await world.core.callsOf([0, 1, 2]);
    expect(again).toEqual(told.slice(0, 3));
    letGo();
  });

  it("counts the attempts that it took", async () => {
    const world = newWorld();
    let attempts = 0;
    world.add(
      "f",
      () => {
        attempts += 1;
        const outcome: Outcome = attempts < 3 ? { status: "retry", reason: "again" } : { status: "done" };
        return Promise.resolve({ outcomes: [outcome] });
      },
      { retry },
    );
    world.publish(1);
    await world.start();
    await world.core.wakeFunctions();
    await world.until("it is done", async () => (await statuses(world, [0]))[0] === "done");
    expect(await world.core.callsOf([0])).toMatchObject([{ offset: 0, attempts: 3, status: "done" }]);
  });

  it("is told of each function of the group, and of what a filter leaves out that it was skipped", async () => {
    const world = newWorld();
    world.add("all", byKey(Promise.resolve()));
    world.add("some", byKey(Promise.resolve()));
    const some = world.functions[1];
    if (some === undefined) throw new Error("it was not added");
    world.functions[1] = { ...some, selects: ({ record }) => record.key === "key-1" };
    world.publish(2);
    await world.start();
    await world.core.wakeFunctions();
    await world.until("all are done", async () =>
      (await statuses(world, [1])).every((one) => one === "done"),
    );
    const told = (await world.core.callsOf([0, 1])).map(
      (one) => `${one.function} ${one.offset} ${one.status}`,
    );
    expect(told).toEqual(["all 0 done", "all 1 done", "some 0 skipped", "some 1 done"]);
  });

  it("is as of its last call where a seek has it called again", async () => {
    const world = newWorld();
    let paused = newHold();
    paused.letGo();
    world.add("f", async ({ records }) => {
      await paused.until;
      return { outcomes: records.map(() => ({ status: "done" as const })) };
    });
    world.publish(300);
    await world.start();
    await world.core.wakeFunctions();
    await world.until("all are done", async () => (await statuses(world, [299]))[0] === "done");
    const [first] = await world.core.callsOf([250]);
    paused = newHold();
    expect(await world.core.seek(200, false)).toMatchObject({ kind: "done" });
    await world.until("it comes again", async () => (await statuses(world, [250]))[0] === "running");
    expect(await statuses(world, [100])).toEqual(["done"]);
    paused.letGo();
    await world.until("it is done again", async () => (await statuses(world, [250]))[0] === "done");
    const [second] = await world.core.callsOf([250]);
    expect(second?.startedAt).toBeGreaterThan(first?.endedAt ?? Number.POSITIVE_INFINITY);
  });

  it("is left out where it was finished by a Gavel that kept no trail", async () => {
    const world = newWorld();
    world.add("f", byKey(Promise.resolve()));
    world.publish(20);
    await world.start();
    await world.core.wakeFunctions();
    await world.until("all are done", async () => (await statuses(world, [19]))[0] === "done");
    await sleep(100);
    world.forgetTrail();
    await world.restart();
    expect(await world.core.callsOf([5, 19])).toEqual([]);
    world.publish(1);
    await world.core.wakeFunctions();
    await world.until("the new one is done", async () => (await statuses(world, [20]))[0] === "done");
    expect(await statuses(world, [5, 20])).toEqual(["done"]);
  });

  it("costs no row where calls end a few at a time", async () => {
    const world = newWorld();
    world.add("f", byKey(Promise.resolve()));
    world.publish(100);
    await world.start();
    await world.core.wakeFunctions();
    await world.until("all are done", async () => (await statuses(world, [99]))[0] === "done");
    await sleep(100);
    expect(world.rows("trail_pages")).toBe(0);
    expect(world.rows("deliveries")).toBe(1);
  });

  it("is asked for at most 1,000 records at a time", async () => {
    const world = newWorld();
    await world.start();
    const offsets = Array.from({ length: 1_001 }, (_, offset) => offset);
    await expect(world.core.callsOf(offsets)).rejects.toThrow("more than 1000 offsets");
  });
});

/** Functions of a group share an object: what one of them does to it is not held against another. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, it } from "vitest";
import type { FunctionSettings, Invoke } from "../../../src/functions/function.ts";
import { GroupWorld } from "./group-world.ts";

let world: GroupWorld | undefined;
afterEach(() => world?.stop());

async function started(set: (one: GroupWorld) => void): Promise<GroupWorld> {
  world = new GroupWorld();
  set(world);
  await world.start();
  // The object may end before it has answered.
  await world.core.wakeFunctions().catch(() => undefined);
  return world;
}

const allDone = (count: number) => ({
  outcomes: Array.from({ length: count }, () => ({ status: "done" as const })),
});
const one = { count: 1, characters: 1_000, waitMs: 0, mixesKeys: false };
const retry = { attempts: 3, maximumAgeMs: 60_000, firstDelayMs: 5, longestDelayMs: 10 };

it("a record that ends the object each time ends alone: what other functions had under way is done", async () => {
  const done = new Set<number>();
  const settings: Partial<FunctionSettings> = { timeoutMs: 40, batch: one, retry };
  const group = await started((made) => {
    made.add(
      "bad",
      async ({ records }) => {
        if (records.some(({ offset }) => offset === 1)) {
          await made.restart();
          void made.core.wakeFunctions().catch(() => undefined);
        }
        return allDone(records.length);
      },
      settings,
    );
    made.add(
      "innocent",
      async ({ records }) => {
        await sleep(15);
        for (const { offset } of records) done.add(offset);
        return allDone(records.length);
      },
      settings,
    );
    made.publish(4, (index) => `key-${index}`);
  });
  await group.until("it is a dead letter", () => group.log.of("auction.dead-letters").length > 0, 5_000);
  await group.until("the innocent has done all", () => done.size === 4, 5_000);
  await sleep(200);
  const letters = group.log.of("auction.dead-letters").map(({ value }) => JSON.parse(value) as unknown);
  expect(letters).toEqual([expect.objectContaining({ function: "bad", offset: 1 })]);
});

it.each([
  ["first", 0],
  ["last", 1],
])("nothing else is called while a record has its last attempt, be its function the %s", async (_, place) => {
  let [running, beside] = [0, 0];
  const settings: Partial<FunctionSettings> = { timeoutMs: 40, batch: one, retry };
  const group = await started((made) => {
    const bad: Invoke = async ({ records }) => {
      const [record] = records;
      const isLast = record?.offset === 1 && record.attempt > retry.attempts;
      if (isLast) beside = Math.max(beside, running);
      if (record?.offset === 1) {
        if (isLast) await sleep(10);
        if (isLast) beside = Math.max(beside, running);
        await made.restart();
        void made.core.wakeFunctions().catch(() => undefined);
      }
      return allDone(records.length);
    };
    const innocent: Invoke = async ({ records }) => {
      running += 1;
      await sleep(5);
      running -= 1;
      return allDone(records.length);
    };
    for (const name of place === 0 ? ["bad", "innocent"] : ["innocent", "bad"])
      made.add(name, name === "bad" ? bad : innocent, settings);
    made.publish(40, (index) => `key-${index}`);
  });
  await group.until("it is a dead letter", () => group.log.of("auction.dead-letters").length > 0, 5_000);
  expect(beside).toBe(0);
});

it("is not woken again and again while it may start nothing: the end of a call goes on", async () => {
  const group = await started((made) => {
    made.mostCalls = 1;
    made.core = made.makeCore();
    for (const name of ["slow", "other"])
      made.add(
        name,
        async ({ records }) => {
          await sleep(name === "slow" ? 500 : 1);
          return allDone(records.length);
        },
        { batch: one },
      );
    made.publish(4);
  });
  group.alarms = 0;
  await sleep(400);
  expect(group.alarms).toBeLessThan(5);
});

it("no more calls are under way than the object may have, and each function has its turn", async () => {
  const counts: Record<string, number> = { first: 0, second: 0 };
  let [running, most] = [0, 0];
  const slow =
    (name: string): Invoke =>
    async ({ records }) => {
      counts[name] = (counts[name] ?? 0) + 1;
      running += 1;
      most = Math.max(most, running);
      await sleep(3);
      running -= 1;
      return allDone(records.length);
    };
  const group = await started((made) => {
    made.mostCalls = 3;
    made.core = made.makeCore();
    for (const name of ["first", "second"]) made.add(name, slow(name), { concurrency: 8, batch: one });
    made.publish(60, (index) => `key-${index}`);
  });
  await group.until("both are half through", () => Math.min(...Object.values(counts)) >= 30);
  expect(most).toBe(3);
  expect(Math.max(...Object.values(counts))).toBeLessThan(60);
});

it("a seek waits for calls from before the object ended: none of a key is made beside them", async () => {
  const starts: number[] = [];
  const group = await started((made) => {
    made.add(
      "f",
      async ({ records, deadline }) => {
        starts.push(Date.now());
        // What the first call does, it does until its deadline, whatever becomes of the object.
        if (starts.length === 1) await sleep(deadline - Date.now());
        return allDone(records.length);
      },
      { timeoutMs: 400, batch: one },
    );
    made.publish(1);
  });
  await group.until("it is called", () => starts.length === 1);
  await group.restart();
  await group.core.wakeFunctions();
  expect(await group.core.seek(0, true)).toMatchObject({ kind: "done" });
  await group.until("it is called again", () => starts.length > 1);
  expect((starts[1] ?? 0) - (starts[0] ?? 0)).toBeGreaterThanOrEqual(390);
});

it("a function that is removed takes its dead letters along, which nobody could take back", async () => {
  const group = await started((made) => {
    made.add("gone", ({ records }) =>
      Promise.resolve({ outcomes: records.map(() => ({ status: "reject" as const, reason: "no" })) }),
    );
    made.add("left", ({ records }) =>
      Promise.resolve({ outcomes: records.map(() => ({ status: "reject" as const, reason: "no" })) }),
    );
    made.publish(3);
  });
  await group.until("both have ended all", async () => (await group.core.deadLetters(10)).length === 6);
  group.functions.shift();
  await group.core.subscriptionsChanged();
  const left = await group.core.deadLetters(10);
  expect(left.map((entry) => entry.function)).toEqual(["left", "left", "left"]);
});

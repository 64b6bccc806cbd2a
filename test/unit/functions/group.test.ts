import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import type { FunctionRecord, Invoke } from "../../../src/functions/function.ts";
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

/** Keeps what it was called for, and does all of it. */
function keeper(seen: FunctionRecord[]): Invoke {
  return (invocation) => {
    seen.push(...invocation.records);
    return Promise.resolve({ outcomes: invocation.records.map(() => ({ status: "done" as const })) });
  };
}

const allDone = (seen: readonly FunctionRecord[], count: number) => () => seen.length >= count;

describe("a group of functions on a partition", () => {
  it("hands every record to every function once, in offset order, with an id of its coordinates", async () => {
    const world = newWorld();
    const [one, other]: [FunctionRecord[], FunctionRecord[]] = [[], []];
    world.add("one", keeper(one));
    world.add("other", keeper(other), { order: "partition" });
    world.publish(2_345);
    await world.start();
    await world.core.wakeFunctions();
    await world.until("all are done", () => one.length >= 2_345 && other.length >= 2_345);
    expect(other.map(({ offset }) => offset)).toEqual(Array.from({ length: 2_345 }, (_, offset) => offset));
    expect(new Set(one.map(({ id }) => id)).size).toBe(2_345);
    expect(one[0]?.id).toBe("auction.notifications/0/0/one");
    const status = await world.core.functionGroupStatus();
    expect(status).toMatchObject({ position: 2_345, endOffset: 2_345 });
    await world.until("nothing is left", async () => {
      const { functions } = await world.core.functionGroupStatus();
      return functions.every(({ oldestUnfinished }) => oldestUnfinished === undefined);
    });
  });

  it("takes no push of another topic, whose offsets say nothing of its own", async () => {
    const world = newWorld();
    const seen: FunctionRecord[] = [];
    world.add("f", keeper(seen));
    await world.start();
    await world.core.wakeFunctions();
    const record = { offsets: [0], timestamps: [0], keys: ["lamp-1"], values: ["{}"], headers: ["[]"] };
    await expect(world.core.push({ topic: "journal", ...record })).rejects.toThrow(
      "reads auction.notifications, not auction.bids",
    );
    world.publish(1);
    await world.core.wakeFunctions();
    await world.until("the group's own is there", allDone(seen, 1));
    expect(seen.map(({ topic, offset }) => `${topic}/${offset}`)).toEqual(["auction.notifications/0"]);
  });

  it("tries again what failed, and ends it as a dead letter when its attempts are spent, while other keys go on", async () => {
    const world = newWorld();
    const attempts: number[] = [];
    const done: FunctionRecord[] = [];
    world.add(
      "f",
      ({ records }) =>
        Promise.resolve({
          outcomes: records.map((record) => {
            if (record.key !== "bad") done.push(record);
            else attempts.push(record.attempt);
            return record.key === "bad"
              ? { status: "retry" as const, reason: "never works" }
              : { status: "done" as const };
          }),
        }),
      { retry: { attempts: 3, maximumAgeMs: 60_000, firstDelayMs: 5, longestDelayMs: 20 } },
    );
    world.publish(30, (index) => (index === 7 ? "bad" : `key-${index}`));
    await world.start();
    await world.core.wakeFunctions();
    await world.until("the others are done", allDone(done, 29));
    await world.until(
      "the dead letter is in its topic",
      () => world.log.of("auction.dead-letters").length > 0,
    );
    expect(attempts).toEqual([1, 2, 3]);
    const [letter] = world.log.of("auction.dead-letters");
    expect(JSON.parse(letter?.value ?? "")).toMatchObject({
      group: "notify",
      function: "f",
      topic: "auction.notifications",
      partition: 0,
      offset: 7,
      attempts: 3,
      error: "never works",
      record: { key: "bad", value: '{"index":7}' },
    });
    expect(world.rows("parked")).toBe(0);
    expect((await world.core.functionGroupStatus()).deadLettered).toBe(1);
  });

  it("calls nothing again that was done before it ended, but what was under way or not stored yet", async () => {
    const world = newWorld();
    const seen: FunctionRecord[] = [];
    world.add("f", keeper(seen));
    world.publish(500);
    await world.start();
    await world.core.wakeFunctions();
    await world.until("all are done", allDone(seen, 500));
    await sleep(100);
    await world.restart();
    world.publish(10);
    await world.core.wakeFunctions();
    await world.until("the new ones are done", allDone(seen, 510));
    await sleep(50);
    expect(seen.length).toBe(510);
  });

  it("waits out the deadline of a call that was under way when it ended, and counts it as an attempt", async () => {
    const world = newWorld();
    const calls: { at: number; attempt: number }[] = [];
    world.add(
      "f",
      async ({ records }) => {
        calls.push({ at: Date.now(), attempt: records[0]?.attempt ?? 0 });
        if (calls.length === 1) await sleep(60_000, undefined, { ref: false });
        return { outcomes: [{ status: "done" }] };
      },
      { timeoutMs: 400 },
    );
    world.publish(1);
    await world.start();
    void world.core.wakeFunctions().catch(() => undefined);
    await world.until("it is called", () => calls.length === 1);
    await sleep(20);
    await world.restart();
    void world.core.wakeFunctions().catch(() => undefined);
    await world.until("it is called again", () => calls.length === 2);
    const [first, second] = calls;
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(399);
    expect(second?.attempt).toBe(2);
  });

  it("lets a dead endpoint hold up nobody else, bounds what it costs, and delivers everything when it is back", async () => {
    const world = newWorld();
    const [healthy, recovered]: [FunctionRecord[], FunctionRecord[]] = [[], []];
    let isAway = true;
    let calls = 0;
    world.add("healthy", keeper(healthy));
    world.add(
      "dead",
      (invocation) => {
        calls += 1;
        if (isAway) return Promise.resolve({ outcomes: [], failure: { reason: "no connection" } });
        return keeper(recovered)(invocation);
      },
      { circuit: { failures: 3, firstProbeMs: 20, longestProbeMs: 50 } },
    );
    world.publish(20_000);
    await world.start();
    await world.core.wakeFunctions();
    await world.until("the healthy one has all", allDone(healthy, 20_000));
    await sleep(200);
    expect(calls).toBeLessThan(60);
    expect(world.rows("parked")).toBeLessThanOrEqual(32);
    const { functions } = await world.core.functionGroupStatus();
    expect(functions.find(({ name }) => name === "dead")?.circuit?.reason).toBe("no connection");
    isAway = false;
    await world.until("the dead one has caught up", allDone(recovered, 20_000));
    expect(new Set(recovered.map(({ offset }) => offset)).size).toBe(20_000);
    expect(world.log.of("auction.dead-letters").length).toBe(0);
  });

  it("stops moving and says so when the only function's budget is spent, and goes on as it drains", async () => {
    const world = newWorld();
    const done = new Set<number>();
    let fails = true;
    world.add(
      "f",
      ({ records }) =>
        Promise.resolve({
          outcomes: records.map(({ offset }) => {
            if (!fails) done.add(offset);
            return fails
              ? { status: "retry" as const, reason: "later", delayMs: 100 }
              : { status: "done" as const };
          }),
        }),
      {
        budget: { records: 100, characters: 1_000_000 },
        retry: { attempts: 1_000, maximumAgeMs: 600_000, firstDelayMs: 1, longestDelayMs: 10 },
      },
    );
    world.publish(5_000, (index) => `key-${index}`);
    await world.start();
    await world.core.wakeFunctions();
    await world.until(
      "it says so",
      async () => (await world.core.functionGroupStatus()).stalled !== undefined,
    );
    const { position, stalled } = await world.core.functionGroupStatus();
    expect(stalled).toMatch(/f has \d+ parked records/);
    expect(position).toBeLessThan(5_000);
    expect(world.rows("parked")).toBeLessThan(1_200);
    fails = false;
    await world.until("all are done", () => done.size === 5_000);
  });

  it("tells a stretch that the log deleted before a function read it, by an event", async () => {
    const world = newWorld();
    const seen: FunctionRecord[] = [];
    world.add("f", keeper(seen));
    world.publish(10);
    await world.start();
    await world.core.wakeFunctions();
    await world.until("all are done", allDone(seen, 10));
    world.publish(100);
    world.log.truncate("auction.notifications", 60);
    await world.core.wakeFunctions();
    await world.until("the rest is done", allDone(seen, 60));
    const [gap] = world.log.of("auction.dead-letters");
    expect(JSON.parse(gap?.value ?? "")).toMatchObject({ group: "notify", from: 10, to: 60 });
  });

  it("does not wake for what it cannot do: an open circuit with nothing to probe with, an outbox that is full", async () => {
    const world = newWorld();
    world.add("f", () => Promise.resolve({ outcomes: [], failure: { reason: "no connection" } }), {
      batch: { count: 1, characters: 1_000, waitMs: 0, mixesKeys: false },
      circuit: { failures: 1, firstProbeMs: 5, longestProbeMs: 5 },
      retry: { attempts: 5, maximumAgeMs: 60_000, firstDelayMs: 60_000, longestDelayMs: 60_000 },
    });
    world.publish(2);
    await world.start();
    await world.core.wakeFunctions();
    await world.until("the circuit is open", async () => {
      const { functions } = await world.core.functionGroupStatus();
      return functions[0]?.circuit !== undefined;
    });
    await sleep(100);
    const before = world.alarms;
    await sleep(300);
    expect(world.alarms - before).toBeLessThan(5);
  });
});

import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import type { FunctionRecord, FunctionSettings, Invoke, Outcome } from "../../../src/functions/function.ts";
import { GroupWorld } from "./group-world.ts";

let world: GroupWorld;
afterEach(() => world.stop());

/** A function that keeps what it was called for and answers as the test says, after a while. */
class Scripted {
  readonly calls: FunctionRecord[] = [];
  afterMs = 0;
  running = 0;
  outcome: (record: FunctionRecord) => Outcome = () => ({ status: "done" });

  readonly invoke: Invoke = async ({ records }) => {
    this.calls.push(...records);
    this.running += 1;
    await sleep(this.afterMs);
    this.running -= 1;
    return { outcomes: records.map((record) => this.outcome(record)) };
  };

  get offsets(): number[] {
    return this.calls.map(({ offset }) => offset);
  }
}

async function newWorld(
  records: number,
  keyOf?: (index: number) => string,
  settings: Partial<FunctionSettings> = {},
): Promise<Scripted> {
  world = new GroupWorld();
  const scripted = new Scripted();
  world.add("f", scripted.invoke, settings);
  world.publish(records, keyOf);
  await world.start();
  return scripted;
}

/** Not waited for: the test goes on while it works, and may end before. */
function wakeBeside(): void {
  world.core.wakeFunctions().catch(() => undefined);
}

async function finishedTo(position: number): Promise<void> {
  await world.until(`${position} is finished`, async () => {
    const status = await world.core.functionGroupStatus();
    return (
      status.position === position && status.functions.every((one) => one.oldestUnfinished === undefined)
    );
  });
}

describe("a seek", () => {
  it("back delivers again what lies behind it, under the same ids and in order, and nothing before it", async () => {
    const f = await newWorld(500);
    await world.core.wakeFunctions();
    await finishedTo(500);
    const ids = f.calls.map(({ id }) => id);
    f.calls.length = 0;
    expect(await world.core.seek(120, false)).toEqual({ kind: "done", from: 500, to: 120 });
    await finishedTo(500);
    expect(f.offsets.toSorted((left, right) => left - right)).toEqual(
      Array.from({ length: 380 }, (_, index) => 120 + index),
    );
    expect(new Set(f.calls.map(({ id }) => id))).toEqual(
      new Set(ids.filter((id) => Number(id.split("/")[2]) >= 120)),
    );
  });

  it("while a fetch is under way leaves out nothing behind it", async () => {
    const f = await newWorld(100);
    await world.core.wakeFunctions();
    await finishedTo(100);
    world.publish(50);
    const fetch = world.log.fetch.bind(world.log);
    world.log.fetch = async (place) => {
      const answer = await fetch(place);
      await sleep(100);
      return answer;
    };
    wakeBeside();
    await sleep(30);
    f.calls.length = 0;
    expect(await world.core.seek(0, false)).toMatchObject({ kind: "done", to: 0 });
    await finishedTo(150);
    expect(new Set(f.offsets).size).toBe(150);
  });

  it("waits for calls that are under way, and starts none meanwhile", async () => {
    const batch = { count: 1, characters: 1_000, waitMs: 0, mixesKeys: false };
    const f = await newWorld(6, () => "key", { batch });
    f.afterMs = 60;
    wakeBeside();
    await world.until("a call is under way", () => f.running > 0);
    expect(await world.core.seek(0, false)).toMatchObject({ kind: "done" });
    await finishedTo(6);
    expect(f.offsets).toEqual([0, 0, 1, 2, 3, 4, 5]);
  });

  it("forward is refused unless it is meant, and names what would be left out", async () => {
    const f = await newWorld(10);
    f.outcome = () => ({ status: "retry", reason: "not yet", delayMs: 60_000 });
    await world.core.setPaused(true);
    expect(await world.core.seek(5, false)).toEqual({ kind: "skips", position: 0 });
    expect(await world.core.seek(5, true)).toEqual({ kind: "done", from: 0, to: 5 });
    await world.core.setPaused(false);
    await world.until("the rest is called", () => f.calls.length === 5);
    expect(f.offsets).toEqual([5, 6, 7, 8, 9]);
  });

  it("beyond the log's end is refused whatever is meant, and to before its start begins at its start", async () => {
    const f = await newWorld(10);
    await world.core.wakeFunctions();
    await finishedTo(10);
    expect(await world.core.seek(11, true)).toEqual({ kind: "beyond", end: 10 });
    expect(await world.core.seek(Number.MAX_SAFE_INTEGER, true)).toEqual({ kind: "beyond", end: 10 });
    world.log.truncate("auction.notifications", 4);
    f.calls.length = 0;
    expect(await world.core.seek(0, false)).toEqual({ kind: "done", from: 10, to: 4 });
    await finishedTo(10);
    expect(f.offsets.toSorted((left, right) => left - right)).toEqual([4, 5, 6, 7, 8, 9]);
    // Nothing was lost: it had been read.
    expect(await world.core.functionGroupStatus()).toMatchObject({ lostOffsets: 0 });
  });

  it("back past what the log deleted unread leaves that out in no silence", async () => {
    const f = await newWorld(10);
    await world.core.wakeFunctions();
    await finishedTo(10);
    await world.core.setPaused(true);
    world.publish(10);
    world.log.truncate("auction.notifications", 15);
    f.calls.length = 0;
    expect(await world.core.seek(0, false)).toMatchObject({ kind: "done", from: 10 });
    await world.core.setPaused(false);
    await finishedTo(20);
    expect(f.offsets.toSorted((left, right) => left - right)).toEqual([15, 16, 17, 18, 19]);
    expect(await world.core.functionGroupStatus()).toMatchObject({
      lostOffsets: 5,
      lastLoss: { from: 10, to: 15 },
    });
  });

  it("keeps a pause that came meanwhile, and of two at once one is refused and nothing stays paused", async () => {
    const f = await newWorld(50);
    f.afterMs = 150;
    wakeBeside();
    await world.until("a call is under way", () => f.running > 0);
    const both = [world.core.seek(0, false), world.core.seek(1, false)];
    expect((await Promise.all(both)).map(({ kind }) => kind).toSorted()).toEqual(["busy", "done"]);
    expect(await world.core.functionGroupStatus()).toMatchObject({ isPaused: false });
    await world.until("a call is under way", () => f.running > 0);
    const seeking = world.core.seek(0, false);
    await world.core.setPaused(true);
    expect(await seeking).toMatchObject({ kind: "done" });
    expect(await world.core.functionGroupStatus()).toMatchObject({ isPaused: true, position: 0 });
  });

  it("that the object's end cuts short leaves nothing paused and the position where it was", async () => {
    const f = await newWorld(50);
    f.afterMs = 300;
    wakeBeside();
    await world.until("a call is under way", () => f.running > 0);
    void world.core.seek(0, false).catch(() => undefined);
    await sleep(20);
    await world.restart();
    expect(await world.core.functionGroupStatus()).toMatchObject({ isPaused: false });
  });

  it("takes what ended behind it out of the dead letters, since it comes again", async () => {
    const f = await newWorld(10);
    f.outcome = () => ({ status: "reject", reason: "no" });
    await world.core.wakeFunctions();
    await finishedTo(10);
    expect(await world.core.deadLetters(100)).toHaveLength(10);
    f.outcome = () => ({ status: "done" });
    await world.core.seek(6, false);
    await finishedTo(10);
    expect((await world.core.deadLetters(100)).map(({ offset }) => offset)).toEqual([5, 4, 3, 2, 1, 0]);
  });
});

describe("a pause", () => {
  it("calls and reads nothing, across the object's end, until it is resumed", async () => {
    const f = await newWorld(10);
    await world.core.wakeFunctions();
    await finishedTo(10);
    await world.core.setPaused(true);
    world.publish(5);
    await world.core.wakeFunctions();
    await world.restart();
    await world.core.wakeFunctions();
    await sleep(50);
    expect(f.calls).toHaveLength(10);
    await world.core.setPaused(false);
    await finishedTo(15);
    expect(f.calls).toHaveLength(15);
  });
});

describe("a redrive", () => {
  it("calls all dead letters of a key in offset order, whatever the order they were asked for in", async () => {
    const f = await newWorld(60, (index) => `key-${index % 3}`);
    f.outcome = () => ({ status: "reject", reason: "no" });
    await world.core.wakeFunctions();
    await finishedTo(60);
    const letters = await world.core.deadLetters(100);
    f.calls.length = 0;
    f.outcome = () => ({ status: "done" });
    const fetches = world.log.fetches;
    // Newest first, and some twice.
    const ids = letters.map(({ id }) => id);
    expect(await world.core.redrive([...ids, ...ids.slice(0, 5)])).toEqual({ redriven: 60, left: 0 });
    // The log answers stretches; not every record costs a request.
    expect(world.log.fetches - fetches).toBeLessThan(5);
    await world.until("all were called", () => f.calls.length === 60);
    for (const key of ["key-0", "key-1", "key-2"]) {
      const offsets = f.calls.filter((record) => record.key === key).map(({ offset }) => offset);
      expect(offsets).toEqual(offsets.toSorted((left, right) => left - right));
    }
    expect(f.calls.every(({ attempt }) => attempt === 1)).toBe(true);
  });

  it("of a record that fails again ends it as a dead letter again, under another id of its own", async () => {
    const f = await newWorld(1);
    f.outcome = () => ({ status: "reject", reason: "no" });
    await world.core.wakeFunctions();
    await finishedTo(1);
    const [first] = await world.core.deadLetters(10);
    expect(await world.core.redrive([first?.id ?? -1])).toEqual({ redriven: 1, left: 0 });
    await world.until("it ended again", async () => (await world.core.deadLetters(10)).length === 1);
    const [second] = await world.core.deadLetters(10);
    expect(second).toMatchObject({ offset: 0, redriven: 1, error: "no" });
    await world.until("both are told", () => world.log.of("auction.dead-letters").length === 2);
    const told = world.log
      .of("auction.dead-letters")
      .map(({ headers }) => headers.find(({ key }) => key === "ce_id"));
    expect(new Set(told.map((header) => header?.value)).size).toBe(2);
  });

  it("leaves what the log has deleted where it is, and ids that nothing has", async () => {
    const f = await newWorld(3);
    f.outcome = () => ({ status: "reject", reason: "no" });
    await world.core.wakeFunctions();
    await finishedTo(3);
    world.log.truncate("auction.notifications", 2);
    f.outcome = () => ({ status: "done" });
    expect(await world.core.redrive("all")).toEqual({ redriven: 1, left: 2 });
    expect(await world.core.redrive([99_999])).toEqual({ redriven: 0, left: 2 });
  });
});

describe("a skip", () => {
  it("keeps the last error in the dead letter, within bounds, beside who ended it", async () => {
    const f = await newWorld(1);
    f.outcome = () => ({ status: "retry", reason: `503 ${"x".repeat(900)}`, delayMs: 60_000 });
    wakeBeside();
    await world.until("it is parked", async () => (await world.core.parked(10))[0]?.attempts === 1);
    expect(await world.core.skipParked("key-0")).toBe(1);
    const [letter] = await world.core.deadLetters(10);
    expect(letter?.error).toMatch(/^skipped by an operator; last: 503 x+$/);
    expect(letter?.error.length).toBeLessThanOrEqual(500);
  });
});

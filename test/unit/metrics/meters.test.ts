import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MetersCore } from "../../../durable-objects/meters/core.ts";
import type { MeterBatch } from "../../../durable-objects/meters/rpc.ts";
import type { Clock } from "../../../src/lib/clock.ts";
import { HandOver } from "../../../src/metrics/hand-over.ts";
import { RequestMetrics } from "../../../src/metrics/request-metrics.ts";
import { storageOver } from "../../support/sqlite-storage.ts";

/** A clock that stands still until it is moved, and fires its timers then. */
class ManualClock implements Clock {
  time = 1_800_000_000_000;
  private timers: { readonly at: number; readonly fire: () => void }[] = [];

  now(): number {
    return this.time;
  }

  sleep(milliseconds: number): Promise<void> {
    return new Promise((fire) => this.timers.push({ at: this.time + milliseconds, fire }));
  }

  async move(milliseconds: number): Promise<void> {
    this.time += milliseconds;
    const due = this.timers.filter(({ at }) => at <= this.time);
    this.timers = this.timers.filter(({ at }) => at > this.time);
    for (const { fire } of due) fire();
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  }
}

/** The object over a real SQLite database, whose rows are counted, and that it can be evicted from. */
class MetersWorld {
  readonly clock = new ManualClock();
  rows = 0;
  core: MetersCore;
  private readonly database = new DatabaseSync(":memory:");

  constructor() {
    this.core = this.newCore();
  }

  private newCore(): MetersCore {
    const inner = storageOver(this.database);
    const storage: typeof inner = {
      ...inner,
      run: (statement, ...parameters) => {
        if (statement.includes("INTO meters")) this.rows += 1;
        inner.run(statement, ...parameters);
      },
    };
    return new MetersCore({ storage, clock: this.clock });
  }

  evict(): void {
    this.core = this.newCore();
  }
}

const batch = (sequence: number, count = 1): MeterBatch => ({
  sequence,
  counts: { "events|accepted": count },
});

describe("the object that adds up what isolates count", () => {
  it("counts each batch once, whatever the order and however often it comes", async () => {
    const batches = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(batches, fc.integer({ min: 0, max: 60 }), async (sequences, evictedAfter) => {
        const world = new MetersWorld();
        for (const [index, sequence] of sequences.entries()) {
          await world.core.add("a", [batch(sequence, 2 ** sequence)]);
          if (index !== evictedAfter) continue;
          await world.core.totals();
          world.evict();
        }
        const expected = [...new Set(sequences)].reduce((sum, sequence) => sum + 2 ** sequence, 0);
        expect(await world.core.totals()).toEqual({ "events|accepted": expected });
      }),
    );
  });

  it("takes isolates apart: numbers are of one each", async () => {
    const { core } = new MetersWorld();
    await core.add("a", [batch(1)]);
    await core.add("b", [batch(1), batch(2)]);
    expect(await core.totals()).toEqual({ "events|accepted": 3 });
  });

  it("writes a row in ten seconds at most, and what came last by itself", async () => {
    const world = new MetersWorld();
    for (let second = 0; second < 100; second += 1) {
      await world.core.add("a", [batch(second + 1)]);
      await world.clock.move(1_000);
    }
    await world.clock.move(10_000);
    expect(world.rows).toBe(11);
    world.evict();
    expect(await world.core.totals()).toEqual({ "events|accepted": 100 });
    await world.clock.move(60_000);
    expect(world.rows).toBe(11);
  });

  it("loses with an eviction what is not written yet, and nothing that it has told", async () => {
    const world = new MetersWorld();
    await world.core.add("a", [batch(1)]);
    await world.core.add("a", [batch(2)]);
    expect(await world.core.totals()).toEqual({ "events|accepted": 2 });
    await world.core.add("a", [batch(3)]);
    world.evict();
    expect(await world.core.totals()).toEqual({ "events|accepted": 2 });
  });

  it("has isolates hand over less often, the more there are, and forgets those that are gone", async () => {
    const world = new MetersWorld();
    for (let isolate = 0; isolate < 500; isolate += 1) await world.core.add(`i${isolate}`, [batch(1)]);
    expect(await world.core.add("first", [])).toEqual({ waitMs: 5_010 });
    for (let isolate = 500; isolate < 9_000; isolate += 1) await world.core.add(`i${isolate}`, [batch(1)]);
    expect(await world.core.add("last", [])).toEqual({ waitMs: 60_000 });
    await world.clock.move(4_000_000);
    expect(await world.core.add("later", [])).toEqual({ waitMs: 5_000 });
    expect(await world.core.totals()).toEqual({ "events|accepted": 9_000 });
  });

  it("keeps a bounded number of series", async () => {
    const { core } = new MetersWorld();
    const counts = Object.fromEntries(Array.from({ length: 10_500 }, (_, index) => [`requests|${index}`, 1]));
    await core.add("a", [{ sequence: 1, counts }]);
    await core.add("a", [{ sequence: 2, counts: { "requests|0": 1, "requests|new": 1 } }]);
    const totals = await core.totals();
    expect(Object.keys(totals)).toHaveLength(10_000);
    expect(totals["requests|0"]).toBe(2);
  });
});

/** An isolate and the object, with a way between them that can break in both directions. */
class HandOverWorld extends MetersWorld {
  readonly metrics = new RequestMetrics();
  /** `lost`: it never arrives. `unanswered`: it does, and nobody hears of it. */
  way: "whole" | "lost" | "unanswered" = "whole";
  calls = 0;
  mostBatches = 0;
  readonly handOver = new HandOver({
    metrics: this.metrics,
    clock: this.clock,
    newIsolateId: () => "a",
    add: async (isolate, batches) => {
      this.calls += 1;
      this.mostBatches = Math.max(this.mostBatches, batches.length);
      if (this.way === "lost") throw new Error("it does not answer");
      const answer = await this.core.add(isolate, structuredClone(batches));
      if (this.way === "unanswered") throw new Error("the answer is lost");
      return answer;
    },
  });
  private readonly work: Promise<unknown>[] = [];

  request(): void {
    this.metrics.events(1, []);
    this.handOver.soon((work) => this.work.push(work));
  }

  async total(): Promise<number> {
    return (await this.core.totals())["events|accepted"] ?? 0;
  }
}

describe("an isolate", () => {
  it("hands over every five seconds at most while requests come, and what came last without another one", async () => {
    const world = new HandOverWorld();
    for (let tenth = 0; tenth < 300; tenth += 1) {
      world.request();
      await world.clock.move(100);
    }
    await world.clock.move(5_000);
    expect(world.calls).toBe(7);
    expect(await world.total()).toBe(300);
    await world.clock.move(60_000);
    expect(world.calls).toBe(7);
  });

  it.each(["lost", "unanswered"] as const)(
    "counts nothing twice or not at all where a hand-over is %s",
    async (way) => {
      const world = new HandOverWorld();
      for (let round = 0; round < 20; round += 1) {
        world.way = round % 3 === 0 ? way : "whole";
        world.request();
        await world.clock.move(10_000);
      }
      world.way = "whole";
      expect(await world.handOver.now()).toBe(true);
      expect(await world.total()).toBe(20);
    },
  );

  it("keeps what it counts while the object is away, in bounded memory, and says so", async () => {
    const world = new HandOverWorld();
    world.way = "lost";
    for (let round = 0; round < 50; round += 1) {
      world.request();
      await world.clock.move(10_000);
    }
    expect(await world.handOver.now()).toBe(false);
    world.way = "whole";
    await world.handOver.now();
    await world.handOver.now();
    expect(await world.total()).toBe(50);
    expect(world.mostBatches).toBeLessThanOrEqual(4);
  });

  it("goes on where the request ended that was to hand over", async () => {
    const world = new HandOverWorld();
    const sleep = world.clock.sleep.bind(world.clock);
    // Its timer dies with it.
    world.clock.sleep = () => new Promise(() => undefined);
    world.request();
    world.clock.sleep = sleep;
    world.request();
    await world.clock.move(20_000);
    world.request();
    await world.clock.move(10_000);
    expect(world.calls).toBe(0);
    world.request();
    await world.clock.move(0);
    expect(await world.total()).toBe(4);
  });
});

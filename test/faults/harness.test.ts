/** What the simulation rests on: its log, its disk and its clock keep the promises of real ones. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PartitionCore } from "../../durable-objects/partition-core.ts";
import type { ProduceRecord, ProduceResult } from "../../src/kafka/port.ts";
import { Disk, LivingStorage } from "./disk.ts";
import { calmPlan, Faults } from "./faults.ts";
import { Life } from "./life.ts";
import { LogClient } from "./log-client.ts";
import { MemoryLog, partition } from "./memory-log.ts";
import { ProduceHistory } from "./produce-history.ts";
import { Random } from "./random.ts";
import { Scheduler } from "./scheduler.ts";
import { simulate } from "./simulation.ts";

describe("a seed", () => {
  test("plays the same run every time, to the last record", async () => {
    const play = async (): Promise<object> => {
      const { log, scheduler, counts } = await simulate(7, PartitionCore);
      const records = log.topics().map((topic) => log.records(topic));
      return { records, counts, steps: scheduler.steps };
    };
    expect(await play()).toEqual(await play());
  });
});

describe("the failing log", () => {
  const deadlineMs = 1_500;

  test("appends what it acknowledges and a prefix of what fails, and answers by the deadline", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.integer({ min: 1, max: 6 }), async (seed, count) => {
        const { scheduler, log, client } = world(seed, { produce: 0.7, latency: 400, gap: 0.2 });
        const records = draw(count);
        const asked = scheduler.now;
        const answer = client.produce(records, asked + deadlineMs).catch((error: unknown) => error);
        const results = await scheduler.finish(answer);
        expect(scheduler.now - asked).toBeLessThanOrEqual(deadlineMs);
        const acknowledged = Array.isArray(results) ? (results as ProduceResult[]).map(({ ok }) => ok) : [];
        expect(acknowledged.lastIndexOf(true)).toBeLessThanOrEqual(acknowledged.indexOf(false) >>> 0);
        await scheduler.run(() => false, scheduler.now + 60_000, 1_000);
        const values = log.records("topic").map(({ value }) => value);
        expect(records.map(({ value }) => value).slice(0, values.length)).toEqual(values);
        expect(values.length).toBeGreaterThanOrEqual(acknowledged.filter(Boolean).length);
      }),
      { numRuns: 300 },
    );
  });

  test("reads a run in offset order from the first record at or above the one asked for", async () => {
    const { scheduler, log, client } = world(1, { gap: 0 });
    log.append(draw(3));
    log.skip("topic", 4);
    log.append(draw(2));
    const fetchAt = (offset: number): Promise<number[]> =>
      scheduler.finish(
        client
          .fetch({ topic: "topic", partition, offset }, scheduler.now + deadlineMs)
          .then(({ records }) => records.map((record) => record.offset)),
      );
    expect((await fetchAt(4))[0]).toBe(7);
    expect(await fetchAt(9)).toEqual([]);
    expect(log.end("topic")).toBe(9);
  });
});

describe("the disk", () => {
  test("keeps all of a committed transaction and nothing of one that a crash interrupts", () => {
    let interrupted = 0;
    for (let seed = 1; seed <= 200; seed += 1) {
      const disk = new Disk(() => {});
      const calm = new LivingStorage(disk, new Life(new Faults(calmPlan, new Random(0), false)));
      calm.run("CREATE TABLE numbers (number INTEGER)");
      const plan = { ...calmPlan, stepsToCrash: 4 };
      const storage = new LivingStorage(disk, new Life(new Faults(plan, new Random(seed))));
      const insert = (): void => [1, 2, 3].forEach((n) => storage.run("INSERT INTO numbers VALUES (?)", n));
      try {
        storage.transaction(insert);
      } catch {
        interrupted += 1;
      }
      expect([0, 3]).toContain(calm.all("SELECT * FROM numbers").length);
      disk.close();
    }
    expect(interrupted).toBeGreaterThan(20);
  });

  test("tells nothing to a life that has ended", () => {
    const disk = new Disk(() => {});
    const life = new Life(new Faults(calmPlan, new Random(0), false));
    const storage = new LivingStorage(disk, life);
    life.end();
    expect(() => storage.run("CREATE TABLE numbers (number INTEGER)")).toThrow("gone");
    disk.close();
  });
});

describe("the clock", () => {
  test("runs steps in order of time, and those of one moment in the order they were asked for", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 40 }), async (delays) => {
        const scheduler = new Scheduler(0);
        const ran: number[] = [];
        for (const [index, delay] of delays.entries()) scheduler.after(delay, () => ran.push(index));
        await scheduler.run(() => false, 9, 100);
        const expected = [...delays.keys()].toSorted(
          (one, other) => (delays[one] ?? 0) - (delays[other] ?? 0),
        );
        expect(ran).toEqual(expected);
        expect(scheduler.now).toBe(9);
      }),
      { numRuns: 100 },
    );
  });
});

function world(seed: number, plan: Partial<typeof calmPlan>) {
  const scheduler = new Scheduler(0);
  const log = new MemoryLog();
  const faults = new Faults({ ...calmPlan, ...plan }, new Random(seed));
  const client = new LogClient(
    { scheduler, log, faults, history: new ProduceHistory(log) },
    new Life(faults),
  );
  return { scheduler, log, client };
}

function draw(count: number): ProduceRecord[] {
  return Array.from({ length: count }, (_, index) => ({
    topic: "topic",
    partition,
    key: "key",
    value: String(index),
    timestamp: 0,
    headers: [],
  }));
}

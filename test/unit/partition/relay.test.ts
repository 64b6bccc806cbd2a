import { expect, test } from "vitest";
import { LogError, type ProduceRecord, type ProduceResult } from "../../../src/kafka/port.ts";
import { eventTypes, topics } from "../../../src/topology.ts";
import { listing, MemoryLog, pushOf, settled, startsAt, World } from "./core-world.ts";

/** A log that refuses records of the journal by their size, whole requests or each. */
class NarrowLog extends MemoryLog {
  maximumRecord = Number.POSITIVE_INFINITY;
  maximumRequest = Number.POSITIVE_INFINITY;

  override async produce(records: readonly ProduceRecord[]): Promise<ProduceResult[]> {
    this.produces += 1;
    // As a log across a network: everything else has its turn before the answer.
    await settled();
    const size = records.reduce((sum, { key, value }) => sum + key.length + value.length, 0);
    if (size > this.maximumRequest) throw new LogError("too-large", "none", "the request is too large");
    const results: ProduceResult[] = [];
    for (const record of records) {
      if (record.key.length + record.value.length > this.maximumRecord) {
        results.push({ ok: false, error: new LogError("too-large", "none", "the record is too large") });
      } else if (results.every(({ ok }) => ok)) {
        const { offset, timestamp } = this.append(record);
        results.push({ ok: true, offset, timestamp });
      } else {
        results.push({ ok: false, error: new LogError("unavailable", "none", "the one before it failed") });
      }
    }
    return results;
  }
}

async function withItems(log: NarrowLog): Promise<World> {
  const world = new World(log);
  await world.core.start();
  const items = ["lamp", "x".repeat(64), "vase"].map((itemId) => {
    return log.append(listing(itemId, startsAt, startsAt + 60_000));
  });
  await world.core.push(pushOf("items", items));
  return world;
}

const kindOf = async (world: World, itemId: string) =>
  (await world.core.readItem({ itemId, waitMs: 0 })).kind;

test("an opening that the log does not take is a dead letter, and the items behind it open", async () => {
  const log = new NarrowLog();
  log.maximumRecord = 420;
  const world = await withItems(log);
  expect(await kindOf(world, "lamp")).toBe("item");
  expect(await kindOf(world, "x".repeat(64))).toBe("unknown");
  expect(await kindOf(world, "vase")).toBe("item");
  expect((await world.core.status()).deadLettered).toBe(1);
});

test("openings that the log does not take together are sent in smaller requests", async () => {
  const log = new NarrowLog();
  log.maximumRequest = 1_000;
  const world = await withItems(log);
  for (const itemId of ["lamp", "x".repeat(64), "vase"]) expect(await kindOf(world, itemId)).toBe("item");
});

test("an opening that the log does not take in any form is tried again later, not without end", async () => {
  const log = new NarrowLog();
  log.maximumRecord = 10;
  const world = await withItems(log);
  expect((await world.core.status()).stalled).toContain("too large");
  expect(log.topic(topics.journal).filter(({ value }) => value.includes(eventTypes.itemOpened))).toEqual([]);
  expect(log.produces).toBeLessThan(5);
});

import { describe, expect, test } from "vitest";
import type { LogRecord } from "../../../src/kafka/port.ts";
import { eventTypes, topics } from "../../../src/topics.ts";
import { bid, listing, pushOf, startsAt, World } from "./core-world.ts";
import { TellingLog } from "./telling-log.ts";

const later = startsAt + 60_000;

async function worldOver(log: TellingLog): Promise<World> {
  const world = new World(log);
  await world.core.start();
  return world;
}

/** Events of what was lost, as they are in the log. */
function gapEvents(log: TellingLog): { readonly id: string; readonly value: unknown; sequence: number }[] {
  return log.topic(topics.deadLetters).flatMap((record) => {
    if (headerOf(record, "ce_type") !== eventTypes.logGap) return [];
    const sequence = Number(headerOf(record, "gavel_sequence"));
    return [{ id: headerOf(record, "ce_id"), value: JSON.parse(record.value) as unknown, sequence }];
  });
}

function headerOf({ headers }: LogRecord, name: string): string {
  return headers.find(({ key }) => key === name)?.value ?? "";
}

describe("offsets without a record", () => {
  test("at the log's end are moved over, so that nothing seems to be missing, and what is due is ticked", async () => {
    const log = new TellingLog();
    const world = await worldOver(log);
    await world.list("lamp", later);
    log.skip(topics.journal, 2);
    log.skip(topics.items, 3);
    const status = await world.core.wake();
    expect(status.journal.position).toBe(log.endOf(topics.journal));
    expect(status.items.position).toBe(log.endOf(topics.items));
    expect(status.lostOffsets).toBe(0);
    expect(gapEvents(log)).toEqual([]);

    world.clock.time = later + 10_000;
    await world.core.alarm();
    const item = await world.core.readItem({ itemId: "lamp", waitMs: 0 });
    expect(item).toMatchObject({ kind: "item", item: { status: "unsold" } });
  });

  test("are known after a restart, also behind the last item, which no opening tells of", async () => {
    const log = new TellingLog();
    const world = await worldOver(log);
    await world.list("lamp", later);
    log.skip(topics.items, 3);
    await world.core.wake();
    await world.restart();
    expect((await world.core.status()).items.position).toBe(4);
    await world.list("vase", later);
    expect(await world.core.readItem({ itemId: "vase", waitMs: 0 })).toMatchObject({ kind: "item" });
  });

  test("leave the same state whether they were moved over before or with the next record", async () => {
    const digests = [];
    for (const isSeparate of [true, false]) {
      const log = new TellingLog();
      const world = await worldOver(log);
      await world.list("lamp", later);
      log.skip(topics.journal, 4);
      if (isSeparate) await world.core.wake();
      log.append(bid("lamp", "ann", 5, startsAt));
      await world.core.wake();
      digests.push(await world.core.digest());
    }
    expect(digests[0]).toEqual(digests[1]);
  });
});

describe("a record behind another producer's open transaction", () => {
  test("waits, without a fault while it is short, and is told of when it lasts", async () => {
    const log = new TellingLog();
    const world = await worldOver(log);
    await world.list("lamp", later);
    log.hold(topics.journal);
    log.skip(topics.journal, 1);
    const mine = log.append(bid("lamp", "ann", 5, startsAt));
    await world.core.push(pushOf("journal", [mine]));
    expect((await world.core.status()).journal.position).toBe(1);
    expect((await world.core.status()).stalled).toBeUndefined();
    world.clock.time += 6_000;
    await world.core.alarm();
    expect((await world.core.status()).stalled).toContain("another producer's transaction is open");
    expect(world.storage.alarmAt).toBeLessThanOrEqual(world.clock.time + 500);

    log.release(topics.journal);
    world.clock.time += 1_000;
    await world.core.alarm();
    const status = await world.core.status();
    expect(status.stalled).toBeUndefined();
    expect(status.journal.position).toBe(log.endOf(topics.journal));
    expect(await world.core.readItem({ itemId: "lamp", waitMs: 0 })).toMatchObject({ item: { bids: 1 } });
  });
});

describe("what the log deleted before it was read", () => {
  for (const tellsNothing of [false, true]) {
    const server = tellsNothing ? "a server that tells no start" : "the bridge";
    test(`of the journal is an event, a count and a state that goes on, over ${server}`, async () => {
      const log = new TellingLog();
      log.tellsNothing = tellsNothing;
      const world = await worldOver(log);
      await world.list("lamp", later);
      for (let amount = 1; amount <= 5; amount += 1) log.append(bid("lamp", "ann", amount, startsAt));
      log.deleteBefore(topics.journal, 4);
      const status = await world.core.wake();
      const gap = { topic: topics.journal, from: 1, to: 4 };
      expect(status).toMatchObject({ lostOffsets: 3, lastLoss: gap, journal: { position: 6 } });
      expect(gapEvents(log)).toEqual([
        {
          id: `${topics.journal}/0/1-4/gap`,
          value: { group: "auction", partition: 0, reason: "retention", ...gap },
          sequence: 1,
        },
      ]);
      expect(await world.core.readItem({ itemId: "lamp", waitMs: 0 })).toMatchObject({ item: { bids: 2 } });
    });
  }

  test("of the items is told by the opening behind it, once, also in a rebuild", async () => {
    const log = new TellingLog();
    const world = await worldOver(log);
    await world.list("lamp", later);
    for (const itemId of ["one", "two", "three"]) log.append(listing(itemId, startsAt, later));
    log.deleteBefore(topics.items, 3);
    const status = await world.core.wake();
    const gap = { topic: topics.items, from: 1, to: 3 };
    expect(status).toMatchObject({ lostOffsets: 2, lastLoss: gap, items: { position: 4 } });
    expect(gapEvents(log)).toMatchObject([{ id: `${topics.items}/0/1-3/gap`, value: gap }]);
    expect(await world.core.readItem({ itemId: "three", waitMs: 0 })).toMatchObject({ kind: "item" });

    const again = await worldOver(log);
    await again.core.wake();
    expect(await again.core.digest()).toEqual(await world.core.digest());
    expect(gapEvents(log)).toHaveLength(1);
  });

  test("of items with none behind it keeps no sweep busy, and is told with the next item, also after a restart", async () => {
    const log = new TellingLog();
    const world = await worldOver(log);
    await world.list("lamp", later);
    log.append(listing("lost", startsAt, later));
    log.deleteBefore(topics.items, 2);
    expect((await world.core.wake()).items.position).toBe(2);
    expect(gapEvents(log)).toEqual([]);
    await world.restart();
    await world.list("next", later);
    await world.core.wake();
    expect(gapEvents(log)).toMatchObject([{ id: `${topics.items}/0/1-2/gap` }]);
  });

  test("is told although the item behind it cannot be read", async () => {
    const log = new TellingLog();
    const world = await worldOver(log);
    log.append(listing("lost", startsAt, later));
    log.append({ ...listing("broken", startsAt, later), value: "" });
    log.deleteBefore(topics.items, 1);
    expect(await world.core.wake()).toMatchObject({ deadLettered: 1, lostOffsets: 1 });
    const types = log.topic(topics.deadLetters).map((record) => headerOf(record, "ce_type"));
    expect(types).toEqual([eventTypes.logGap, eventTypes.deadLetter]);
  });
});

import { expect, test } from "vitest";
import { placeOf, sentOf } from "../../../durable-objects/sent-place.ts";
import type { LogRecord } from "../../../src/kafka/port.ts";
import { eventTypes, topics } from "../../../src/topics.ts";
import { bid, pushOf, startsAt, World } from "./core-world.ts";
import { TellingLog } from "./telling-log.ts";

const later = startsAt + 60_000;

function headerOf({ headers }: LogRecord, name: string): string {
  return headers.find(({ key }) => key === name)?.value ?? "";
}

/** Notifications with their ids, in the log's order. */
function notifications(log: TellingLog): { readonly id: string; readonly sequence: number; type: string }[] {
  return log.topic(topics.notifications).map((record) => ({
    id: headerOf(record, "ce_id"),
    sequence: Number(headerOf(record, "gavel_sequence")),
    type: headerOf(record, "ce_type"),
  }));
}

/** A life that outbids nine times, and a log that then loses the start of both topics; its storage is gone. */
async function afterLostHistory(): Promise<TellingLog> {
  const log = new TellingLog();
  const world = new World(log);
  await world.core.start();
  await world.list("lamp", later);
  for (let amount = 1; amount <= 10; amount += 1) await world.bid("lamp", `bidder-${amount}`, amount);
  await world.core.wake();
  log.deleteBefore(topics.journal, 5);
  // Otherwise the item would be opened once more, with the bids that are left.
  log.deleteBefore(topics.items, 1);
  return log;
}

test("after a rebuild without the journal's start, new outputs are sent: they do not pass for old ones", async () => {
  const log = await afterLostHistory();
  const before = notifications(log);
  expect(before.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  const world = new World(log);
  await world.core.start();
  await world.core.wake();
  // The item's opening is lost: its bids wait, and are refused once that took too long.
  expect(notifications(log)).toEqual(before);
  const waking = log.append(bid("vase", "ann", 5, startsAt + 3_700_000));
  await world.core.push(pushOf("journal", [waking]));
  await world.core.wake();
  const after = notifications(log).slice(before.length);
  expect(after).toHaveLength(6);
  expect(new Set(after.map(({ type }) => type))).toEqual(new Set([eventTypes.bidderRejected]));
  expect(after.map(({ id }) => id)).toEqual(
    [1, 2, 3, 4, 5, 6].map((count) => `${topics.journal}/0/${waking.offset}/${count}`),
  );
  // Behind all that were there, and behind those that may still be under way from before.
  expect(after.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6].map((count) => 9 + 1_000 + count));
});

test("and nothing that the log has is sent again, in that rebuild or the next one", async () => {
  const log = await afterLostHistory();
  for (let rebuild = 0; rebuild < 3; rebuild += 1) {
    const world = new World(log);
    await world.core.start();
    await world.core.wake();
    log.append(bid("vase", "ann", 5, startsAt + (rebuild + 1) * 3_700_000));
    await world.core.wake();
  }
  const ids = notifications(log).map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  const sequences = notifications(log).map(({ sequence }) => sequence);
  expect(sequences).toEqual(sequences.toSorted((one, other) => one - other));
});

test("where all outputs were deleted too, sequences go on behind as many as the topic ever had", async () => {
  const log = await afterLostHistory();
  log.deleteBefore(topics.notifications, 9);
  const world = new World(log);
  await world.core.start();
  await world.core.wake();
  log.append(bid("vase", "ann", 5, startsAt + 3_700_000));
  await world.core.wake();
  expect(Math.min(...notifications(log).map(({ sequence }) => sequence))).toBeGreaterThan(9);
});

test("history that is lost while a rebuild is under way ends the counting as well", async () => {
  const log = await afterLostHistory();
  const whole = new TellingLog();
  const first = new World(whole);
  await first.core.start();
  await first.list("lamp", later);
  for (let amount = 1; amount <= 10; amount += 1) await first.bid("lamp", `bidder-${amount}`, amount);
  await first.core.wake();
  expect(notifications(whole)).toEqual(notifications(log));
  const world = new World(whole);
  await world.core.start();
  // Two records are applied by push before the log deletes what comes behind them.
  await world.core.push(pushOf("journal", whole.topic(topics.journal).slice(0, 3)));
  whole.deleteBefore(topics.journal, 8);
  await world.core.wake();
  await world.bid("lamp", "late", 50);
  await world.core.wake();
  const [, ...rest] = notifications(whole).slice(8);
  expect(rest.map(({ id }) => id)).toEqual([`${topics.journal}/0/11/1`]);
});

test("a fan-out that was sent in part goes on behind it", () => {
  const place = placeOf("auction.bids/3/40/2/7", "auction.bids/3/");
  expect(place).toEqual({ offset: 40, count: 2, index: 7 });
  expect(sentOf({ offset: 40, count: 1 }, 1, place)).toBe(1);
  expect(sentOf({ offset: 40, count: 2 }, 20, place)).toBe(7);
  expect(sentOf({ offset: 40, count: 2 }, 5, place)).toBe(5);
  expect(sentOf({ offset: 40, count: 3 }, 1, place)).toBe(0);
  expect(sentOf({ offset: 41, count: 1 }, 1, place)).toBe(0);
});

test("an id tells its place only where it is made of the journal's coordinates", () => {
  const prefix = "auction.bids/3/";
  expect(placeOf("auction.bids/3/40/2", prefix)).toEqual({ offset: 40, count: 2, index: 0 });
  expect(placeOf("auction.bids/3/10-40/gap", prefix)).toMatchObject({ offset: 39 });
  expect(placeOf("auction.items/3/10-40/gap", prefix)).toBeNull();
  expect(placeOf("auction.bids/30/40/2", prefix)).toBeNull();
  expect(placeOf("somebody's own", prefix)).toBeNull();
});

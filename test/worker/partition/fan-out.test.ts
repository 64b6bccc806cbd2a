import { runInDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";
import { eventTypes, topics } from "../../../src/topics.ts";
import {
  append,
  bid,
  eventually,
  listing,
  newId,
  objectOf,
  partitionOf,
  readOutputs,
  sequenceOf,
  typeOf,
} from "./world.ts";

const bidders = 100_000;
const batch = 1_000;
const hour = 3_600_000;

interface LargestRow {
  readonly characters: number;
}

test("an item with 100,000 bidders completes without a row, record or transaction that grows with them", async () => {
  const itemId = newId("hot");
  const stub = objectOf(itemId);
  const now = Date.now();
  await append(listing(itemId, now + hour));
  await stub.wake();
  for (let first = 0; first < bidders; first += batch) {
    const bids = Array.from({ length: batch }, (_, index) =>
      bid(itemId, `bidder-${first + index}`, 100 + first + index),
    );
    await append(...bids);
  }
  await stub.wake();
  await eventually(async () => (await stub.wake()).outbox === 0);
  const before = await stub.readItem({ itemId, waitMs: 0 });
  expect(before).toMatchObject({ kind: "item", item: { bids: bidders, bidders } });

  const [end] = await append(bid(itemId, "straggler", 1, { timestamp: now + hour + 2_000 }));
  await stub.wake();
  const outboxRows = await runInDurableObject(stub, (_, { storage }) => {
    return storage.sql.exec<{ rows: number }>("SELECT count(*) AS rows FROM outbox").one().rows;
  });
  expect(outboxRows).toBeLessThan(10);
  await eventually(async () => (await stub.wake()).outbox === 0);

  const notifications = await readOutputs(topics.notifications, partitionOf(itemId));
  const mine = notifications.filter(({ key }) => key === itemId);
  const lost = mine.filter((record) => typeOf(record) === eventTypes.bidderLost);
  expect(lost).toHaveLength(bidders - 1);
  const losers = lost.map((record) => (JSON.parse(record.value) as { bidderId: string }).bidderId);
  expect(losers).toEqual(Array.from({ length: bidders - 1 }, (_, index) => `bidder-${bidders - 2 - index}`));
  expect(mine.filter((record) => typeOf(record) === eventTypes.bidderWon)).toHaveLength(1);
  const sequences = notifications.map(sequenceOf);
  expect(sequences).toEqual(sequences.map((_, index) => index + 1));
  expect(end?.offset).toBeGreaterThan(bidders);

  const largest = await runInDurableObject(stub, (_, { storage }) => ({
    entries: storage.sql
      .exec<LargestRow & Record<string, number>>("SELECT max(length(entries)) AS characters FROM entries")
      .one(),
    items: storage.sql
      .exec<LargestRow & Record<string, number>>("SELECT max(length(state)) AS characters FROM items")
      .one(),
  }));
  expect(largest.entries.characters).toBeLessThan(500_000);
  expect(largest.items.characters).toBeLessThan(2_000);
}, 120_000);

import { expect, test } from "vitest";
import { StoredEntries } from "../../../durable-objects/storage/entries.ts";
import type { Entry } from "../../../src/auction/state.ts";
import { memoryStorage } from "../../support/sqlite-storage.ts";

function entry(number: number, itemId: string): Entry {
  return {
    number,
    previous: number - 1,
    kind: number % 5 === 0 ? "withdrawal" : "bid",
    offset: number * 2,
    timestamp: 1_000 + number,
    itemId,
    identity: { subject: "", source: "/tests", id: `event-${number}` },
    reason: number % 3 === 0 ? "too-low" : null,
    bids: number,
    highestEntry: number - 1,
    bidderId: number % 5 === 0 ? "" : "ann",
    bidId: number % 5 === 0 ? "" : number % 2 === 0 ? `event-${number}` : `bid-${number}`,
    amount: number % 5 === 0 ? 0 : number * 10,
    cell: "85196953fffffff",
    country: "NL",
  };
}

function stored(count: number, perChunk: number) {
  const storage = memoryStorage();
  const entries = new StoredEntries(storage);
  for (let number = 1; number <= count; number += 1) {
    entries.append(entry(number, number % 2 === 0 ? "stays" : "leaves"));
    if (number % perChunk === 0) entries.flush(number);
  }
  entries.flush(count);
  return { storage, entries };
}

test("an entry is read back as it was judged, before and after it is written, and after a restart", () => {
  const { storage, entries } = stored(25, 7);
  entries.append(entry(26, "stays"));
  const restarted = new StoredEntries(storage);
  for (let number = 1; number <= 25; number += 1) {
    const itemId = number % 2 === 0 ? "stays" : "leaves";
    expect(entries.get(number)).toEqual(entry(number, itemId));
    expect(restarted.get(number)).toEqual(entry(number, itemId));
  }
  expect(entries.get(26)).toEqual(entry(26, "stays"));
  expect(entries.get(27)).toBeUndefined();
});

test("a transaction's entries are one row", () => {
  const { storage } = stored(700, 100);
  expect(storage.all("SELECT first_number FROM entries")).toHaveLength(7);
});

test("a chunk stays far below the platform's 2 MB a row", () => {
  const storage = memoryStorage();
  const entries = new StoredEntries(storage);
  for (let number = 1; number <= 10_000; number += 1) entries.append(entry(number, "x".repeat(64)));
  entries.flush(1);
  const [largest] = storage.all<{ characters: number }>(
    "SELECT max(length(entries)) AS characters FROM entries",
  );
  expect(largest?.characters).toBeLessThan(500_000);
  expect(entries.get(9_999)).toEqual(entry(9_999, "x".repeat(64)));
});

test("what comes behind a number is read in order, from the middle of a chunk on", () => {
  const { entries } = stored(20, 6);
  expect([...entries.after(8)].map(({ number }) => number)).toEqual([
    9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20,
  ]);
  expect([...entries.after(20)]).toEqual([]);
  expect([...entries.after(0)]).toHaveLength(20);
});

test("entries of items that left go, the numbers of the others keep finding them", () => {
  const { storage, entries } = stored(20, 5);
  let cursor: number | null = 0;
  while (cursor !== null) cursor = entries.compactNext(cursor, 20, 16, (itemId) => itemId === "stays");
  expect(entries.get(3)).toBeUndefined();
  expect(entries.get(4)).toEqual(entry(4, "stays"));
  // The last chunk is not old enough.
  expect(entries.get(17)).toEqual(entry(17, "leaves"));
  cursor = 0;
  while (cursor !== null) cursor = entries.compactNext(cursor, 20, 1_000, () => false);
  expect(storage.all("SELECT first_number FROM entries")).toEqual([]);
});

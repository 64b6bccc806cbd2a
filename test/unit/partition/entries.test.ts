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

test("64 entries are one row, whatever the transactions were", () => {
  const { storage } = stored(700, 9);
  expect(storage.all("SELECT page FROM entries")).toHaveLength(11);
});

test("a page stays far below the platform's 2 MB a row", () => {
  const storage = memoryStorage();
  const entries = new StoredEntries(storage);
  for (let number = 1; number <= 10_000; number += 1) entries.append(entry(number, "x".repeat(64)));
  entries.flush(1);
  const [largest] = storage.all<{ characters: number }>(
    "SELECT max(length(entries)) AS characters FROM entries",
  );
  expect(largest?.characters).toBeLessThan(100_000);
  expect(entries.get(9_999)).toEqual(entry(9_999, "x".repeat(64)));
});

test("what comes behind a number is read in order, from the middle of a page on", () => {
  const { entries } = stored(20, 6);
  expect([...entries.after(8)].map(({ number }) => number)).toEqual([
    9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20,
  ]);
  expect([...entries.after(20)]).toEqual([]);
  expect([...entries.after(0)]).toHaveLength(20);
});

test("entries of items that left go, the numbers of the others keep finding them", () => {
  const { storage, entries } = stored(200, 64);
  let cursor: number | null = -1;
  while (cursor !== null) cursor = entries.compactNext(cursor, 200, 150, (itemId) => itemId === "stays");
  expect(entries.get(3)).toBeUndefined();
  expect(entries.get(4)).toEqual(entry(4, "stays"));
  // The second page is old enough, the third is not.
  expect(entries.get(127)).toBeUndefined();
  expect(entries.get(131)).toEqual(entry(131, "leaves"));
  cursor = -1;
  while (cursor !== null) cursor = entries.compactNext(cursor, 192, 1_000, () => false);
  // The last page is not full: its entries may be counted again at a start.
  expect(storage.all("SELECT page FROM entries")).toEqual([{ page: 3 }]);
  entries.append(entry(201, "stays"));
  entries.flush(201);
  expect(entries.get(201)).toEqual(entry(201, "stays"));
  expect(entries.get(200)).toEqual(entry(200, "stays"));
});

test("every entry of a transaction is found before it is written, however many there are", () => {
  const entries = new StoredEntries(memoryStorage());
  for (let number = 1; number <= 9_000; number += 1) entries.append(entry(number, "lamp"));
  for (const number of [1, 700, 8_192, 8_193, 9_000])
    expect(entries.get(number)).toEqual(entry(number, "lamp"));
  expect(entries.get(9_001)).toBeUndefined();
});

test("a page that was compacted to nothing is filled up again from the right line", () => {
  const { storage, entries } = stored(10, 5);
  storage.run("DELETE FROM entries");
  const restarted = new StoredEntries(storage);
  restarted.append(entry(11, "stays"));
  restarted.flush(11);
  expect(new StoredEntries(storage).get(11)).toEqual(entry(11, "stays"));
  expect(entries.get(12)).toBeUndefined();
});

import fc from "fast-check";
import { expect, test } from "vitest";
import { SeenIndex } from "../../../durable-objects/storage/seen-index.ts";
import { hash53 } from "../../../src/lib/hash.ts";
import { memoryStorage } from "../../support/sqlite-storage.ts";

const smallRuns = 16;

test("what was added is found, newest first, across runs and after a restart", () => {
  const names = fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 300 });
  fc.assert(
    fc.property(names, (added) => {
      const storage = memoryStorage();
      const index = new SeenIndex(storage, smallRuns);
      const newest = new Map<number, number>();
      added.forEach((name, position) => {
        index.add(hash53(String(name)), position + 1);
        newest.set(name, position + 1);
        index.flush(position + 1);
      });
      const restarted = new SeenIndex(storage, smallRuns);
      added.slice(restarted.storedThrough).forEach((name, position) => {
        restarted.add(hash53(String(name)), restarted.storedThrough + position + 1);
      });
      for (const [name, number] of newest) {
        expect(index.find(hash53(String(name)), 0)[0]).toBe(number);
        expect(restarted.find(hash53(String(name)), 0)[0]).toBe(number);
      }
      for (const name of [61, 62, 63]) expect(index.find(hash53(String(name)), 0)).toEqual([]);
    }),
    { numRuns: 60 },
  );
});

test("runs older than an item's first event are not looked at", () => {
  const storage = memoryStorage();
  const index = new SeenIndex(storage, smallRuns);
  for (let number = 1; number <= 3 * smallRuns; number += 1) {
    index.add(hash53(`event ${number}`), number);
    index.flush(number);
  }
  expect(index.find(hash53("event 5"), 0)).toEqual([5]);
  expect(index.find(hash53("event 5"), smallRuns + 1)).toEqual([]);
});

test("about one row is written for 500 hashes", () => {
  const storage = memoryStorage();
  const index = new SeenIndex(storage);
  const count = 65_536;
  for (let number = 1; number <= count; number += 1) index.add(hash53(`event ${number}`), number);
  index.flush(count);
  const [slices] = storage.all<{ rows: number }>("SELECT count(*) AS rows FROM seen_slices");
  const [runs] = storage.all<{ rows: number }>("SELECT count(*) AS rows FROM seen_runs");
  expect([slices?.rows, runs?.rows]).toEqual([128, 1]);
  expect(index.find(hash53("event 40000"), 0)).toEqual([40_000]);
  const strangers = Array.from({ length: 10_000 }, (_, name) => index.find(hash53(`stranger ${name}`), 0));
  expect(strangers.every((found) => found.length === 0)).toBe(true);
});

test("runs whose entries are gone are dropped", () => {
  const storage = memoryStorage();
  const index = new SeenIndex(storage, smallRuns);
  for (let number = 1; number <= 2 * smallRuns; number += 1) {
    index.add(hash53(`event ${number}`), number);
    index.flush(number);
  }
  index.dropThrough(smallRuns);
  expect(index.find(hash53("event 3"), 0)).toEqual([]);
  expect(index.find(hash53(`event ${smallRuns + 3}`), 0)).toEqual([smallRuns + 3]);
  expect(storage.all("SELECT id FROM seen_runs")).toHaveLength(1);
});

test("a run that takes a dropped run's place is not answered from what was read of the old one", () => {
  const index = new SeenIndex(memoryStorage(), smallRuns);
  const addRun = (from: number): void => {
    for (let number = from; number < from + smallRuns; number += 1)
      index.add(hash53(`event ${number}`), number);
    index.flush(from + smallRuns - 1);
  };
  addRun(1);
  expect(index.find(hash53("event 3"), 0)).toEqual([3]);
  // Everything has left: the next run is the first one again.
  index.dropThrough(Number.MAX_SAFE_INTEGER - 1);
  addRun(smallRuns + 1);
  for (let number = smallRuns + 1; number <= 2 * smallRuns; number += 1) {
    expect(index.find(hash53(`event ${number}`), 0)).toEqual([number]);
  }
});

test("what was added is found in any of more runs than fit in memory", () => {
  const index = new SeenIndex(memoryStorage(), smallRuns);
  const count = 500 * smallRuns;
  for (let number = 1; number <= count; number += 1) {
    index.add(hash53(`event ${number}`), number);
    index.flush(number);
  }
  for (let number = 1; number <= count; number += 997) {
    expect(index.find(hash53(`event ${number}`), 0)).toEqual([number]);
  }
});

test("hashes differ from partition to partition, so that no client can make two ids collide, and stay over a restart", () => {
  const storage = memoryStorage();
  const index = new SeenIndex(storage);
  const hashes = ["one", "two"].map((name) => index.hashOf(name));
  expect(new SeenIndex(storage).hashOf("one")).toBe(hashes[0]);
  expect(["one", "two"].map((name) => new SeenIndex(memoryStorage()).hashOf(name))).not.toEqual(hashes);
});

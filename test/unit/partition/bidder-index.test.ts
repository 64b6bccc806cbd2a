import fc from "fast-check";
import { expect, test } from "vitest";
import { BidderIndex } from "../../../durable-objects/storage/bidder-index.ts";
import { memoryStorage } from "../../support/sqlite-storage.ts";

const smallRuns = 16;
const seed = 7;
const manyRuns = 1_000;

/** Every candidate from a number down. */
function all(index: BidderIndex, bidderId: string, through: number): number[] {
  const found: number[] = [];
  const rest = index.walk(bidderId, through, manyRuns, (number) => found.push(number) > 0);
  expect(rest).toBe(0);
  return found;
}

/** As `all`, in steps that each stop somewhere. */
function inSteps(index: BidderIndex, bidderId: string, from: number, length: number, runs: number): number[] {
  const found: number[] = [];
  let through = from;
  do {
    const before = through;
    let left = length;
    through = index.walk(bidderId, through, runs, (number) => {
      found.push(number);
      left -= 1;
      return left > 0;
    });
    expect(through).toBeLessThan(before);
  } while (through > 0);
  return found;
}

test("a bidder's entries are found newest first from any number down, in any steps, across runs and after a restart", () => {
  // Null: an entry that is no bid.
  const entry = fc.oneof(fc.integer({ min: 0, max: 5 }), fc.constant(null));
  fc.assert(
    fc.property(
      fc.array(entry, { minLength: 1, maxLength: 300 }),
      fc.nat(310),
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 5 }),
      (entries, through, length, runs, perTransaction) => {
        const storage = memoryStorage();
        const index = new BidderIndex(storage, seed, smallRuns);
        const add = (to: BidderIndex, position: number): void => {
          const bidder = entries[position] ?? null;
          if (bidder !== null) to.add(`bidder-${bidder}`, position + 1);
        };
        for (const position of entries.keys()) {
          add(index, position);
          if ((position + 1) % perTransaction === 0) index.flush(position + 1);
        }
        const restarted = new BidderIndex(storage, seed, smallRuns);
        for (let position = restarted.storedThrough; position < entries.length; position += 1) {
          add(restarted, position);
        }
        for (let bidder = 0; bidder <= 6; bidder += 1) {
          const expected = entries
            .map((one, position) => (one === bidder ? position + 1 : 0))
            .filter((number) => number > 0 && number <= through)
            .toReversed();
          for (const one of [index, restarted]) {
            expect(all(one, `bidder-${bidder}`, through)).toEqual(expected);
            if (through > 0)
              expect(inSteps(one, `bidder-${bidder}`, through, length, runs)).toEqual(expected);
          }
        }
      },
    ),
    { numRuns: 150 },
  );
});

test("about one row is written for 1,000 bids, and a bidder among a hundred thousand is found in them", () => {
  const storage = memoryStorage();
  const index = new BidderIndex(storage, seed);
  const count = 3 * 32_768;
  for (let number = 1; number <= count; number += 1) {
    index.add(number % 1_000 === 0 ? "often" : `bidder ${number}`, number);
    index.flush(number);
  }
  const [rows] = storage.all<{ rows: number }>(
    "SELECT (SELECT count(*) FROM bidder_slices) + (SELECT count(*) FROM bidder_runs) AS rows",
  );
  expect(rows?.rows).toBe(3 * 33);
  expect(all(index, "bidder 40001", count)).toEqual([40_001]);
  expect(all(index, "often", count)).toEqual(
    Array.from({ length: Math.floor(count / 1_000) }, (_, place) => (place + 1) * 1_000).toReversed(),
  );
  const strangers = Array.from({ length: 2_000 }, (_, name) => all(index, `stranger ${name}`, count));
  expect(strangers.flat()).toEqual([]);
});

test("a page of a bidder with very many bids reads no more rows than its own", () => {
  const inner = memoryStorage();
  let reads = 0;
  const storage = { ...inner, all: ((...asked) => ((reads += 1), inner.all(...asked))) as typeof inner.all };
  const index = new BidderIndex(storage, seed);
  const count = 4 * 32_768;
  for (let number = 1; number <= count; number += 1) {
    index.add("often", number);
    index.flush(number);
  }
  const restarted = new BidderIndex(storage, seed);
  reads = 0;
  const found: number[] = [];
  const rest = restarted.walk("often", 70_000, manyRuns, (number) => found.push(number) < 50);
  expect(found).toEqual(Array.from({ length: 50 }, (_, place) => 70_000 - place));
  expect(rest).toBe(69_950);
  // The run's filter, its directory, and the one or two rows that the page lies in.
  expect(reads).toBeLessThanOrEqual(4);
});

test("a bidder who is in no run costs a bounded number of runs a step", () => {
  const storage = memoryStorage();
  const index = new BidderIndex(storage, seed, smallRuns);
  const count = 100 * smallRuns;
  for (let number = 1; number <= count; number += 1) {
    index.add(`bidder ${number}`, number);
    index.flush(number);
  }
  const never = (): boolean => {
    throw new Error("there is nothing to visit");
  };
  expect(index.walk("stranger", count, 30, never)).toBe(70 * smallRuns);
  expect(index.walk("stranger", 70 * smallRuns, 30, never)).toBe(40 * smallRuns);
  expect(index.walk("stranger", 10 * smallRuns, 30, never)).toBe(0);
});

test("a run is written after a while also where few entries are bids", () => {
  const storage = memoryStorage();
  const index = new BidderIndex(storage, seed);
  index.add("ann", 5);
  index.flush(5);
  expect(index.storedThrough).toBe(0);
  index.flush(200_000);
  expect(index.storedThrough).toBe(200_000);
  index.add("ann", 200_001);
  expect(all(new BidderIndex(storage, seed), "ann", 200_001)).toEqual([5]);
  expect(all(index, "ann", 200_001)).toEqual([200_001, 5]);
});

test("runs whose entries are gone are dropped, and one that takes a dropped run's place is read anew", () => {
  const storage = memoryStorage();
  const index = new BidderIndex(storage, seed, smallRuns);
  const addRun = (bidder: string, from: number): void => {
    for (let number = from; number < from + smallRuns; number += 1) index.add(bidder, number);
    index.flush(from + smallRuns - 1);
  };
  addRun("ann", 1);
  addRun("ann", 1 + smallRuns);
  expect(all(index, "ann", 1_000)).toHaveLength(2 * smallRuns);
  index.dropThrough(smallRuns);
  expect(all(index, "ann", 1_000)).toHaveLength(smallRuns);
  expect(storage.all("SELECT id FROM bidder_runs")).toHaveLength(1);
  index.dropThrough(Number.MAX_SAFE_INTEGER - 1);
  addRun("ben", 1 + 2 * smallRuns);
  expect(all(index, "ann", 1_000)).toEqual([]);
  expect(all(index, "ben", 1_000)).toHaveLength(smallRuns);
});

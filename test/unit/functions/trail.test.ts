import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { functionMigrations } from "../../../durable-objects/functions/migrations.ts";
import { newPending, type Pending } from "../../../durable-objects/functions/pending.ts";
import {
  decodeCalls,
  encodeCall,
  noOrigin,
  originBehind,
  type TrailCall,
} from "../../../durable-objects/functions/trail-codec.ts";
import { StoredTrail } from "../../../durable-objects/functions/trail-store.ts";
import { Trail } from "../../../durable-objects/functions/trail.ts";
import { migrate } from "../../../durable-objects/storage/migrations.ts";
import { storageOver } from "../../support/sqlite-storage.ts";

const noPages = () => [];
const done = () => true;

function pendingAt(offset: number, attempts = 0): Pending {
  const record = { topic: "t", partition: 0, offset, timestamp: 0, key: "k", value: "", headers: [] };
  return { ...newPending(record, "k", 0, 0), attempts, isFinished: true };
}

/** A function's trail over real SQLite, whose rows are counted. */
function newStored() {
  const storage = storageOver(new DatabaseSync(":memory:"));
  migrate(storage, functionMigrations);
  let rows = 0;
  const counted = {
    ...storage,
    run: (statement: string, ...parameters: Parameters<typeof storage.run>[1][]) => {
      storage.run(statement, ...parameters);
      rows += storage.all<{ changed: number }>("SELECT changes() AS changed")[0]?.changed ?? 0;
    },
  };
  const count = (): number =>
    storage.all<{ count: number }>("SELECT count(*) AS count FROM trail_pages")[0]?.count ?? 0;
  return { pages: new StoredTrail(counted, "f"), count, rows: () => rows };
}

const call = fc
  .record({
    startedAt: fc.integer({ min: 0, max: 2 ** 45 }),
    duration: fc.integer({ min: 0, max: 10 ** 7 }),
    attempts: fc.integer({ min: 1, max: 1_000 }),
    isDone: fc.boolean(),
    offsets: fc.uniqueArray(fc.integer({ min: 0, max: 2 ** 50 }), { minLength: 1, maxLength: 12 }),
    run: fc.integer({ min: 1, max: 5 }),
  })
  .map(({ duration, offsets, run, ...rest }): TrailCall => {
    const all = new Set(offsets.flatMap((from) => Array.from({ length: run }, (_, index) => from + index)));
    const sorted = [...all].sort((left, right) => left - right);
    return { ...rest, endedAt: rest.startedAt + duration, offsets: sorted };
  });

describe("the text of recent calls", () => {
  it("holds every call as it was, whatever came before it", () => {
    fc.assert(
      fc.property(fc.array(call, { maxLength: 8 }), (calls) => {
        let origin = noOrigin;
        const lines = calls.map((each) => {
          const line = encodeCall(each, origin);
          origin = originBehind(each);
          return line;
        });
        expect(decodeCalls(lines.join(";"))).toEqual(calls);
      }),
    );
  });

  it("takes a dozen characters for a call of one record", () => {
    const before = { startedAt: 1_790_000_000_000, offset: 1_000_000 };
    const line = encodeCall(
      {
        startedAt: 1_790_000_000_040,
        endedAt: 1_790_000_000_090,
        attempts: 1,
        isDone: true,
        offsets: [1_000_001],
      },
      before,
    );
    expect(line).toBe("14,1e,2,1,0");
  });
});

describe("the trail of a function", () => {
  it("writes fewer than a row for a hundred records where each call has one, and nothing but its pages", () => {
    const { pages, rows } = newStored();
    const trail = new Trail("", -1);
    const records = 50_000;
    for (let offset = 0; offset < records; offset += 1) {
      trail.note({ startedAt: offset, records: [pendingAt(offset)] }, done, offset + 5);
      trail.write(pages);
    }
    expect(rows()).toBeGreaterThan(records / 1_000);
    expect(rows() / records).toBeLessThan(0.01);
  });

  it("keeps a bounded number of pages and a bounded tail, and does not take what it has forgotten for what was never called", () => {
    const { count, pages } = newStored();
    const trail = new Trail("", -1);
    let longest = 0;
    for (let offset = 0; offset < 40_000; offset += 2) {
      trail.note({ startedAt: offset, records: [pendingAt(offset)] }, done, offset + 1);
      longest = Math.max(longest, trail.write(pages).length);
    }
    expect(count()).toBe(64);
    expect(longest).toBeLessThan(8_500);
    const wanted = new Set([0, 1, 39_000, 39_001]);
    const found = trail.find(wanted, (lowest, highest) => pages.between(lowest, highest));
    expect([...found.keys()]).toEqual([39_000]);
    expect(found.get(39_000)).toMatchObject({
      startedAt: 39_000,
      endedAt: 39_001,
      attempts: 1,
      isDone: true,
    });
    expect([0, 1, 39_001].map((offset) => trail.reaches(offset))).toEqual([false, false, true]);
  });

  it("knows after an eviction what it knew before, and the newest call of what was called more than once", () => {
    const { pages } = newStored();
    const trail = new Trail("", -1);
    let stored = "";
    for (let offset = 0; offset < 1_000; offset += 1) {
      trail.note({ startedAt: offset, records: [pendingAt(offset, offset % 3)] }, done, offset + 1);
      stored = trail.write(pages);
    }
    trail.note({ startedAt: 5_000, records: [pendingAt(7, 4)] }, () => false, 5_009);
    stored = trail.write(pages);
    const again = new Trail(stored, 999_999);
    const everything = new Set(Array.from({ length: 1_000 }, (_, offset) => offset));
    const between = (lowest: number, highest: number) => pages.between(lowest, highest);
    const before = trail.find(everything, between);
    expect(again.find(everything, between)).toEqual(before);
    expect(before.size).toBe(1_000);
    expect(before.get(7)).toMatchObject({ startedAt: 5_000, endedAt: 5_009, attempts: 4, isDone: false });
    expect(before.get(8)).toMatchObject({ attempts: 3, isDone: true });
    expect(again.reaches(0)).toBe(true);
  });

  it("says nothing of what was called before there was a trail", () => {
    const trail = new Trail("", 41);
    const unfinished = { ...pendingAt(42), isFinished: false };
    trail.note({ startedAt: 1, records: [pendingAt(50), unfinished] }, done, 2);
    expect([...trail.find(new Set([41, 42, 50]), noPages).keys()]).toEqual([50]);
    expect([41, 42].map((offset) => trail.reaches(offset))).toEqual([false, true]);
  });
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createAnalytics } from "../../../src/functions/analytics/analytics.ts";
import type { CompletedAuction } from "../../../src/functions/completed-event.ts";
import type { FunctionRecord } from "../../../src/functions/function.ts";
import { listAuctions } from "../../../src/read-model/auctions.ts";
import { listTotals } from "../../../src/read-model/totals.ts";
import { completedAuction, completedRecord, invocationOf } from "../../support/completed-records.ts";
import { changesOf, dumpOf, type Fault, memoryDatabase } from "../../support/sqlite-database.ts";

const hour = 3_600_000;
const midnight = Date.parse("2026-11-25T00:00:00.000Z");

/** An event of an item; the same item may complete again with a higher sequence, in another hour. */
const event = fc.record({
  item: fc.integer({ min: 0, max: 7 }),
  category: fc.constantFrom("lamps", "cars"),
  currency: fc.constantFrom("EUR", "USD"),
  outcome: fc.constantFrom("sold" as const, "unsold" as const, "withdrawn" as const),
  price: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
  closedAt: fc.integer({ min: midnight - 2 * hour, max: midnight + 2 * hour }),
  bids: fc.integer({ min: 0, max: 100 }),
});

/** The events with their dense sequences, and how they are delivered: which, in what calls, with what faults. */
const deliveries = fc.array(event, { minLength: 1, maxLength: 24 }).chain((events) =>
  fc.record({
    records: fc.constant(events.map((one, index) => recordOf(one, index + 1))),
    calls: fc.array(fc.array(fc.integer({ min: 0, max: events.length - 1 }), { maxLength: 12 }), {
      maxLength: 12,
    }),
    faults: fc.array(fc.constantFrom<Fault>("none", "none", "before", "after"), { maxLength: 24 }),
  }),
);

function recordOf(one: typeof event extends fc.Arbitrary<infer Value> ? Value : never, sequence: number) {
  const { item, price, closedAt, outcome, ...rest } = one;
  const itemId = `item-${item}`;
  const base = completedAuction(itemId, { outcome, ...rest, closedAt: new Date(closedAt).toISOString() });
  return completedRecord(outcome === "sold" ? { ...base, price } : base, sequence);
}

/** What the read model has to be, computed without SQL. */
function modelOf(records: readonly FunctionRecord[]) {
  const newest = new Map<string, CompletedAuction>();
  for (const { key, value } of records) newest.set(key, JSON.parse(value) as CompletedAuction);
  const totals = new Map<
    string,
    { sold: number; unsold: number; withdrawn: number; bids: number; gross: bigint }
  >();
  for (const { closedAt, category, currency, outcome, bids, price } of newest.values()) {
    const name = `${closedAt.slice(0, 10)} ${category} ${currency}`;
    const sum = totals.get(name) ?? { sold: 0, unsold: 0, withdrawn: 0, bids: 0, gross: 0n };
    sum[outcome] += 1;
    sum.bids += bids;
    sum.gross += BigInt(price ?? 0);
    totals.set(name, sum);
  }
  return { newest, totals };
}

describe("idempotence", () => {
  test("any number and order of deliveries, with calls that fail before or behind their effect, ends equal", async () => {
    await fc.assert(
      fc.asyncProperty(deliveries, async ({ records, calls, faults }) => {
        const database = memoryDatabase();
        const analytics = createAnalytics(database);
        database.faults.push(...faults);
        for (const call of calls) {
          const batch = call.map((index) => records[index]).filter((record) => record !== undefined);
          await analytics(invocationOf(batch)).catch(() => undefined);
        }
        database.faults.length = 0;
        await analytics(invocationOf(records));

        const inOrder = memoryDatabase();
        for (const record of records) await createAnalytics(inOrder)(invocationOf([record]));
        expect(dumpOf(database)).toEqual(dumpOf(inOrder));

        const { newest, totals } = modelOf(records);
        const { auctions } = await listAuctions(database, { attributes: [], limit: 100 });
        expect(new Map(auctions.map((auction) => [auction.itemId, auction]))).toEqual(newest);
        const listed = await listTotals(database, { limit: 100 });
        const found = listed.totals.map(({ day, category, currency, grossValue: gross, ...counts }) => [
          `${new Date(day * 24 * hour).toISOString().slice(0, 10)} ${category} ${currency}`,
          { ...counts, gross },
        ]);
        expect(Object.fromEntries(found)).toEqual(Object.fromEntries(totals));
      }),
      { numRuns: 300 },
    );
  });

  test("a seek to 0 delivers everything again, ends equal and writes no row", async () => {
    const database = memoryDatabase();
    const analytics = createAnalytics(database);
    const records = Array.from({ length: 1_000 }, (_, index) =>
      completedRecord(
        completedAuction(`item-${index}`, {
          category: index % 3 === 0 ? "cars" : "lamps",
          closedAt: new Date(midnight + index * 60_000).toISOString(),
        }),
        index + 1,
      ),
    );
    const deliver = async (size: number) => {
      for (let from = 0; from < records.length; from += size) {
        await analytics(invocationOf(records.slice(from, from + size)));
      }
    };
    await deliver(100);
    const before = { dump: dumpOf(database), changes: changesOf(database) };
    await deliver(37);
    expect({ dump: dumpOf(database), changes: changesOf(database) }).toEqual(before);
  });
});

describe("totals that somebody changed by hand", () => {
  const at = (hours: number) => new Date(midnight + hours * hour).toISOString();
  // The second item completes twice, behind a lost history: its first hour has no auction any more.
  const records = [
    completedRecord(completedAuction("lamp-1", { closedAt: at(1) }), 1),
    completedRecord(completedAuction("lamp-2", { closedAt: at(5) }), 2),
    completedRecord(completedAuction("lamp-3", { closedAt: at(30) }), 3),
    completedRecord(completedAuction("lamp-2", { closedAt: at(1) }), 4),
  ];

  test.each([
    ["raised", "UPDATE auction_totals SET sold = sold + 1000, gross_low = 0"],
    ["deleted", "DELETE FROM auction_totals"],
    [
      "left in an hour that has no auction any more",
      "INSERT INTO auction_totals SELECT day, category, currency, 5, 7, 7, 7, 7, 7, 7 FROM auction_totals WHERE day = (SELECT min(day) FROM auction_totals)",
    ],
  ])("and %s are right after a seek to 0, whatever the size of its calls", async (_, sql) => {
    for (const size of [1, 2, 4]) {
      const database = memoryDatabase();
      const analytics = createAnalytics(database);
      await analytics(invocationOf(records));
      const before = dumpOf(database);
      database.sqlite.exec(sql);
      expect(dumpOf(database)).not.toEqual(before);
      for (let from = 0; from < records.length; from += size) {
        await analytics(invocationOf(records.slice(from, from + size)));
      }
      expect(dumpOf(database)).toEqual(before);
    }
  });
});

test("a call that was given up and comes through behind a later one changes nothing", async () => {
  const database = memoryDatabase();
  const older = completedRecord(completedAuction("lamp-1", { bids: 1 }), 1);
  const newer = completedRecord(completedAuction("lamp-1", { bids: 2 }), 2);
  let overtake = (): void => undefined;
  const overtaken = new Promise<void>((resolve) => {
    overtake = resolve;
  });
  const slow = createAnalytics({
    ...database,
    batch: async (statements) => {
      await overtaken;
      await database.batch(statements);
    },
  });
  const late = slow(invocationOf([older]));
  await createAnalytics(database)(invocationOf([newer]));
  const before = dumpOf(database);
  overtake();
  await late;
  expect(dumpOf(database)).toEqual(before);
});

describe("what cannot be read", () => {
  const auction = completedAuction("lamp-1");
  test.each([
    ["another type", completedRecord(auction, 1, { type: "gavel.bidder.won.v1" })],
    ["no sequence", completedRecord(auction, "none", { offset: 1 })],
    ["a sequence of zero", completedRecord(auction, 0)],
    ["no JSON", completedRecord(auction, 1, { value: "{" })],
    ["no object", completedRecord(auction, 1, { value: "null" })],
    ["a key of another item", completedRecord(auction, 1, { key: "lamp-2" })],
    ["half of a surrogate pair", completedRecord({ ...auction, title: "\ud800" }, 1)],
    ["a time that does not exist", completedRecord({ ...auction, closedAt: "2026-02-30T00:00:00Z" }, 1)],
    [
      "a sale without a price",
      completedRecord({ ...completedAuction("lamp-1", { outcome: "unsold" }), outcome: "sold" }, 1),
    ],
    ["more bids than there can be", completedRecord({ ...auction, bids: 2e9 }, 1)],
    ["attributes without an end", completedRecord({ ...auction, attributes: { a: "x".repeat(1_001) } }, 1)],
  ])("of %s is rejected with a reason, and what is beside it is stored", async (_, record) => {
    const database = memoryDatabase();
    const good = completedRecord(completedAuction("lamp-3"), 2);
    const { outcomes, failure } = await createAnalytics(database)(invocationOf([record, good]));
    expect(failure).toBeUndefined();
    expect(outcomes).toEqual([
      { status: "reject", reason: expect.stringMatching(/.+/) as string },
      { status: "done" },
    ]);
    const { auctions } = await listAuctions(database, { attributes: [], limit: 10 });
    expect(auctions.map(({ itemId }) => itemId)).toEqual(["lamp-3"]);
  });
});

test("a database that is away fails the call as a whole, and nothing of it is stored", async () => {
  const database = memoryDatabase();
  const before = dumpOf(database);
  const call = invocationOf([completedRecord(completedAuction("lamp-1"), 1)]);
  for (const faults of [["before"], ["none", "before"]] as const) {
    database.faults.push(...faults);
    await expect(createAnalytics(database)(call)).rejects.toMatchObject({ code: "database-unavailable" });
    expect(dumpOf(database)).toEqual(before);
  }
});

test("a call of 500 records is one query and one batch of two statements", async () => {
  const database = memoryDatabase();
  const records = Array.from({ length: 500 }, (_, index) =>
    completedRecord(completedAuction(`item-${index}`), index + 1),
  );
  await createAnalytics(database)(invocationOf(records));
  expect(database.asked).toEqual([1, 2]);
});

test("records of the largest kind go into several statements, none near 2 MB, and are all stored", async () => {
  const database = memoryDatabase();
  // Controls are six characters of JSON each, and twice as many where JSON holds JSON.
  const attributes = Object.fromEntries(
    Array.from({ length: 32 }, (_, index) => [`${index}`.padEnd(1_000, "\u0001"), "\u0002".repeat(1_000)]),
  );
  const records = Array.from({ length: 20 }, (_, index) =>
    completedRecord(completedAuction(`item-${index}`, { attributes }), index + 1),
  );
  const sizes: number[] = [];
  const watching = {
    ...database,
    batch: (statements: Parameters<typeof database.batch>[0]) => {
      for (const { parameters } of statements)
        sizes.push(new TextEncoder().encode(String(parameters[0])).length);
      return database.batch(statements);
    },
  };
  await createAnalytics(watching)(invocationOf(records));
  expect(Math.max(...sizes)).toBeLessThan(2_000_000);
  const { auctions } = await listAuctions(database, { attributes: [], limit: 100 });
  expect(auctions).toHaveLength(20);
  expect(auctions[0]?.attributes).toEqual(attributes);
});

test("a day's value is exact where it passes 2^63, which no integer of SQLite holds", async () => {
  const database = memoryDatabase();
  const price = Number.MAX_SAFE_INTEGER;
  const records = Array.from({ length: 3_000 }, (_, index) =>
    completedRecord(completedAuction(`item-${index}`, { price }), index + 1),
  );
  await createAnalytics(database)(invocationOf(records));
  const { totals } = await listTotals(database, { limit: 10 });
  expect(totals.map(({ grossValue }) => grossValue)).toEqual([BigInt(price) * 3_000n]);
});

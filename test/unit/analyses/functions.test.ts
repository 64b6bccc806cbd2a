import { beforeEach, describe, expect, test } from "vitest";
import { createAnalytics } from "../../../src/functions/analytics/analytics.ts";
import type { FunctionRecord, Invoke } from "../../../src/functions/function.ts";
import { createMarketAnalysis } from "../../../src/functions/market-analysis/market-analysis.ts";
import type { ReadModelProgress } from "../../../src/functions/market-analysis/progress.ts";
import { createParticipation } from "../../../src/functions/market-analysis/participation.ts";
import { eventTypes } from "../../../src/topics.ts";
import { completedAuction, completedRecord, invocationOf } from "../../support/completed-records.ts";
import { changesOf, memoryDatabase, type TestDatabase } from "../../support/sqlite-database.ts";

const declared = [{ category: "*" }, { category: "cars", attribute: "year" }];

let database: TestDatabase;
let requested: string[];
let isAway: boolean;
let progress: ReadModelProgress;
let looks: number;
let logged: unknown[];
let market: Invoke;
let participation: Invoke;

beforeEach(() => {
  database = memoryDatabase();
  requested = [];
  isAway = false;
  progress = { finished: 0, read: 0, readTime: 0 };
  looks = 0;
  const readProgress = (partition: number) => {
    expect(partition).toBe(3);
    looks += 1;
    return Promise.resolve(progress);
  };
  const analyses = {
    request: (id: string) => {
      if (isAway) return Promise.reject(new Error("the object does not answer"));
      requested.push(id);
      return Promise.resolve();
    },
  };
  logged = [];
  const logger = (_: string, event: string, fields: unknown) => void logged.push([event, fields]);
  market = createMarketAnalysis({ database, analyses, readProgress, logger }, declared);
  participation = createParticipation({ database, analyses, readProgress, logger }, declared);
});

const cars = [2018, 2018, 2019].map((year, index) =>
  completedRecord(completedAuction(`car-${index}`, { category: "cars", attributes: { year } }), index + 1),
);
const lamp = completedRecord(completedAuction("lamp"), 4);
const done = { status: "done" };
const gone = { status: "reject", reason: "the read model has gone on without the auction" };
const waits = { status: "retry", reason: "the read model does not have the auction yet" };

function told(bidderId: string, itemId: string, offset: number, more: Partial<FunctionRecord> = {}) {
  const record = completedRecord(completedAuction(itemId), offset, { type: eventTypes.bidderLost });
  return { ...record, value: JSON.stringify({ itemId, bidderId, bidId: "b", amount: 5 }), ...more };
}

const rowsOf = (table: string) =>
  database.sqlite
    .prepare(`SELECT * FROM ${table} ORDER BY 1, 2`)
    .all()
    .map((row) => ({ ...row }));
const stored = () => rowsOf("participations");

describe("market", () => {
  test("has each set of a call's auctions analysed once, and keeps which auctions a value's set has", async () => {
    await createAnalytics(database)(invocationOf([...cars, lamp]));
    database.asked.length = 0;
    const { outcomes } = await market(invocationOf([...cars, lamp]));
    expect(outcomes).toEqual([done, done, done, done]);
    expect(requested.toSorted()).toEqual(["cars", "cars:year=2018", "cars:year=2019", "lamps"]);
    expect(rowsOf("set_auctions")).toEqual([
      { set_id: "cars:year=2018", item_id: "car-0" },
      { set_id: "cars:year=2018", item_id: "car-1" },
      { set_id: "cars:year=2019", item_id: "car-2" },
    ]);
    // The auctions, which values are known, the new ones and once more, and the rows.
    expect(database.asked).toEqual([1, 1, 1, 1, 1]);
    const before = changesOf(database);
    database.asked.length = 0;
    await market(invocationOf([...cars, lamp]));
    expect([database.asked, changesOf(database) - before]).toEqual([[1, 1, 1], 0]);
    database.asked.length = 0;
    await market(invocationOf([lamp]));
    expect(database.asked).toEqual([1]);
  });

  test("analyses the first 200 values of an attribute of a category, and logs how many are beyond", async () => {
    const many = Array.from({ length: 450 }, (_, index) =>
      completedRecord(
        completedAuction(`many-${index}`, { category: "cars", attributes: { year: `v${index}` } }),
        index + 1,
      ),
    );
    await createAnalytics(database)(invocationOf(many));
    for (const part of [many.slice(0, 150), many.slice(150, 220), many.slice(220), many.slice(0, 10)]) {
      expect((await market(invocationOf(part))).outcomes).toEqual(part.map(() => done));
    }
    const values = new Set(requested.filter((id) => id !== "cars"));
    expect(values).toEqual(new Set(Array.from({ length: 200 }, (_, index) => `cars:year=v${index}`)));
    expect(rowsOf("set_auctions")).toHaveLength(200);
    const full = (refused: number) => ["analysis.sets-full", { sets: "cars:year", most: 200, refused }];
    expect(logged).toEqual([full(20), full(230)]);
    await participation(invocationOf([told("ann", "many-0", 1), told("ann", "many-300", 2)]));
    expect(stored()).toHaveLength(2);
    expect(rowsOf("set_participations")).toEqual([
      { set_id: "cars:year=v0", bidder_id: "ann", item_id: "many-0" },
    ]);
  });

  test("waits for an auction that the read model does not have, or has an older event of, and marks none for it", async () => {
    await createAnalytics(database)(invocationOf(cars.slice(0, 1)));
    const again = completedRecord(completedAuction("car-0", { category: "cars" }), 9);
    const { outcomes, failure } = await market(invocationOf([lamp, again]));
    expect(outcomes).toEqual([waits, waits]);
    expect(failure).toBeUndefined();
    expect(requested).toEqual([]);
  });

  test("waits no longer for an auction that the read model has gone past, and holds up nothing behind it", async () => {
    progress = { finished: 4, read: 9, readTime: 0 };
    expect((await market(invocationOf([lamp]))).outcomes).toEqual([waits]);
    expect(looks).toBe(0);
    expect((await market(invocationOf([lamp]))).outcomes).toEqual([waits]);
    progress = { finished: 5, read: 9, readTime: 0 };
    const later = completedRecord(completedAuction("later"), 5);
    expect((await market(invocationOf([lamp, later]))).outcomes).toEqual([gone, waits]);
    await createAnalytics(database)(invocationOf([later]));
    expect((await market(invocationOf([later]))).outcomes).toEqual([done]);
    await market(invocationOf([later]));
    expect(looks).toBe(3);
  });

  test("rejects what cannot be read, beside what can", async () => {
    await createAnalytics(database)(invocationOf([lamp]));
    const { outcomes } = await market(invocationOf([{ ...lamp, value: "{" }, lamp]));
    expect(outcomes).toEqual([{ status: "reject", reason: "its value is not JSON" }, done]);
  });

  test("finishes no record whose set could not be marked", async () => {
    await createAnalytics(database)(invocationOf([lamp]));
    isAway = true;
    await expect(market(invocationOf([lamp]))).rejects.toThrow("the object does not answer");
    isAway = false;
    expect((await market(invocationOf([lamp]))).outcomes).toEqual([done]);
    expect(requested).toEqual(["lamps"]);
  });
});

describe("participation", () => {
  test("keeps a row for each bidder of an auction, and none for what is told again", async () => {
    await createAnalytics(database)(invocationOf([...cars, lamp]));
    const records = [told("ann", "car-0", 1), told("ben", "car-0", 2), told("ann", "car-2", 3)];
    const before = changesOf(database);
    expect((await participation(invocationOf(records))).outcomes).toEqual([done, done, done]);
    await participation(invocationOf(records.slice(1)));
    // Each in its category and in its year; and the two years.
    expect(changesOf(database) - before).toBe(3 + 3 + 2);
    expect(stored()).toEqual([
      { category: "cars", bidder_id: "ann", item_id: "car-0" },
      { category: "cars", bidder_id: "ann", item_id: "car-2" },
      { category: "cars", bidder_id: "ben", item_id: "car-0" },
    ]);
    expect(new Set(requested)).toEqual(new Set(["cars", "cars:year=2018", "cars:year=2019"]));
  });

  test("waits for an auction that the read model does not have, and keeps what is beside it", async () => {
    await createAnalytics(database)(invocationOf([lamp]));
    const { outcomes } = await participation(invocationOf([told("ann", "lamp", 1), told("ann", "car-0", 2)]));
    expect(outcomes).toEqual([done, waits]);
    expect(stored()).toEqual([{ category: "lamps", bidder_id: "ann", item_id: "lamp" }]);
  });

  test("waits no longer for one that the read model has gone past, also while that is never idle", async () => {
    const closedAt = lamp.timestamp;
    const outcomes = async () => (await participation(invocationOf([told("ann", "lamp", 1)]))).outcomes;
    progress = { finished: 7, read: 7, readTime: closedAt };
    // What closed at the same time may be to come.
    expect([await outcomes(), await outcomes()]).toEqual([[waits], [waits]]);
    progress = { finished: 7, read: 12, readTime: closedAt + 1 };
    expect(await outcomes()).toEqual([waits]);
    progress = { finished: 11, read: 40, readTime: closedAt + 500 };
    expect(await outcomes()).toEqual([waits]);
    progress = { finished: 12, read: 80, readTime: closedAt + 900 };
    expect(await outcomes()).toEqual([gone]);
  });

  test("asks for a run only behind its rows, and again where nobody was told that they are there", async () => {
    await createAnalytics(database)(invocationOf([lamp]));
    database.faults.push("none", "after");
    const call = invocationOf([told("ann", "lamp", 1)]);
    await expect(participation(call)).rejects.toMatchObject({ code: "database-unavailable" });
    expect([stored().length, requested]).toEqual([1, []]);
    await participation(call);
    expect([stored().length, requested]).toEqual([1, ["lamps"]]);
  });

  test("keeps nothing of a category that nobody analyses", async () => {
    await createAnalytics(database)(invocationOf([lamp, ...cars]));
    const analyses = { request: (id: string) => Promise.resolve(void requested.push(id)) };
    const readProgress = () => Promise.resolve(progress);
    const onlyCars = createParticipation({ database, analyses, readProgress, logger: () => undefined }, [
      { category: "cars", attribute: "year" },
    ]);
    await onlyCars(invocationOf([told("ann", "lamp", 1), told("ann", "car-0", 2)]));
    expect(stored()).toEqual([]);
    expect(rowsOf("set_participations")).toEqual([
      { set_id: "cars:year=2018", bidder_id: "ann", item_id: "car-0" },
    ]);
    expect(requested).toEqual(["cars:year=2018"]);
  });

  test.each([
    ["no JSON", { value: "{" }],
    ["no bidder", { value: '{"itemId":"lamp"}' }],
    ["another item than its key", { key: "other" }],
    ["another type", { headers: [{ key: "ce_type", value: eventTypes.bidderOutbid }] }],
  ])("rejects what has %s", async (_, more) => {
    const { outcomes } = await participation(invocationOf([told("ann", "lamp", 1, more)]));
    expect(outcomes).toMatchObject([{ status: "reject" }]);
  });

  test("takes 500 bidders of an item in one query and one statement", async () => {
    await createAnalytics(database)(invocationOf([lamp]));
    database.asked.length = 0;
    await participation(
      invocationOf(Array.from({ length: 500 }, (_, index) => told(`bidder-${index}`, "lamp", index))),
    );
    expect(database.asked).toEqual([1, 1]);
    expect(stored()).toHaveLength(500);
  });
});

import { env } from "cloudflare:workers";
import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import type { Analysis } from "../../../durable-objects/analysis.ts";
import type { Partition } from "../../../durable-objects/partition.ts";
import { createAnalytics } from "../../../src/functions/analytics/analytics.ts";
import type { AnalysisResult } from "../../../src/functions/market-analysis/result.ts";
import { createReadProgress } from "../../../src/functions/market-analysis/progress.ts";
import { insertParticipations, storeResult } from "../../../src/functions/market-analysis/statements.ts";
import type { AnalysisSummary } from "../../../src/read-model/analyses.ts";
import { completedAuction, completedRecord, invocationOf } from "../../support/completed-records.ts";
import { answered, call, newBid, newItem, openItem } from "../edge/client.ts";
import { topics } from "../../../src/topics.ts";
import { eventually, newId, outputsOf, partitionOf } from "../partition/world.ts";
import { countingDatabase, d1, database } from "../read-model/world.ts";

type Answer = Omit<AnalysisResult, "run"> & {
  readonly id: string;
  readonly run: { readonly status: string; readonly startedAt: string; readonly slices: number };
};

const { ANALYSES, PARTITIONS } = env as unknown as {
  readonly ANALYSES: DurableObjectNamespace<Analysis>;
  readonly PARTITIONS: DurableObjectNamespace<Partition>;
};

const readAnalysis = (id: string) => call(`/v1/analyses/${encodeURIComponent(id)}`, { key: "client" });
const wait = { headers: { prefer: "wait=10" } };

/** An auction with a bid by each bidder in turn, until it is withdrawn; the partition completes it at once. */
async function runAuction(category: string, bidders: readonly string[]): Promise<string> {
  const { itemId } = await openItem({ category, attributes: { year: 2018 } });
  for (const [index, bidderId] of bidders.entries()) {
    const body = newBid(itemId, { bidderId, amount: 1_000 + index });
    await answered(call("/v1/bids", { body, ...wait }), 200);
  }
  await answered(call(`/v1/items/${itemId}/withdraw`, { method: "POST", ...wait }), 200);
  return itemId;
}

/** One that is sold, by the clock. */
async function sellAuction(category: string, bidderId: string, amount: number): Promise<void> {
  const item = newItem({ category, endsAt: new Date(Date.now() + 1_500).toISOString() });
  await answered(call("/v1/items", { body: item, ...wait }), 200);
  await answered(call("/v1/bids", { body: newBid(item.itemId, { bidderId, amount }), ...wait }), 200);
}

/** Asks until the answer is as it has to be. */
function analysed(id: string, isThere: (answer: Answer) => boolean): Promise<Answer> {
  return eventually(async () => {
    const response = await readAnalysis(id);
    if (response.status !== 200) return false;
    const answer: Answer = await response.json();
    return isThere(answer) && answer;
  }, 50_000);
}

test("an item completes, and the analysis of its category has it, with who bid on three or more", async () => {
  const category = newId("category");
  expect(await answered(readAnalysis(category), 404)).toMatchObject({ code: "unknown-analysis" });
  await sellAuction(category, "ann", 7_500);
  await runAuction(category, ["ann", "ben"]);
  await runAuction(category, ["ann", "cat", "ann"]);
  const answer = await analysed(category, ({ auctions, bidders }) => auctions === 3 && bidders.pairs === 5);
  expect(answer).toMatchObject({
    id: category,
    category,
    ...{ auctions: 3, sold: 1, unsold: 0, withdrawn: 2, sellThrough: 1 },
    prices: [{ currency: "EUR", sold: 1, min: 7_500, p50: 7_500, mean: 7_500, max: 7_500, error: 0 }],
    bidders: {
      ...{ distinct: 3, onThreeOrMore: 1, pairs: 5, expectedPairs: 5 },
      most: [{ bidderId: "ann", auctions: 3 }],
    },
  });
  expect(answer.run).toMatchObject({ slices: 2, startedAt: answer.asOf });
});

test("an attribute that is declared has a set of its own for each value", async () => {
  await runAuction("cars", ["ben"]);
  const answer = await analysed("cars:year=2018", ({ bidders }) => bidders.pairs === 1);
  expect(answer).toMatchObject({ attribute: { name: "year", value: "2018" }, auctions: 1 });
});

describe("in the real runtime", () => {
  test("the group of the read model tells how far it is", async () => {
    const category = newId("progress");
    const itemId = await runAuction(category, []);
    const readProgress = createReadProgress(PARTITIONS);
    const record = await eventually(async () => (await outputsOf(topics.completed, itemId))[0]);
    const { finished, read, readTime } = await eventually(async () => {
      const progress = await readProgress(partitionOf(itemId));
      return progress.finished > record.offset && progress.finished === progress.read && progress;
    });
    expect(finished).toBeGreaterThan(record.offset);
    expect(read).toBe(finished);
    expect(readTime).toBeGreaterThanOrEqual(record.timestamp);
  });

  test("a run of several slices that is evicted meanwhile goes on and comes to its end", async () => {
    const category = newId("evicted");
    const count = 2_500;
    for (let from = 0; from < count; from += 500) {
      const records = Array.from({ length: 500 }, (_, index) =>
        completedRecord(
          completedAuction(`${category}-${from + index}`, { category, price: from + index, bidders: 1 }),
          1,
        ),
      );
      await createAnalytics(database)(invocationOf(records));
      const pairs = records.map(({ key }, index) => [category, `bidder-${index}`, key] as const);
      await database.batch([insertParticipations(pairs)]);
    }
    const object = ANALYSES.getByName(category);
    await object.request();
    await evictDurableObject(object);
    expect(await ANALYSES.getByName(category).runStatus()).toEqual({ status: "waiting" });
    await runDurableObjectAlarm(ANALYSES.getByName(category));
    await evictDurableObject(ANALYSES.getByName(category));
    const answer = await analysed(category, () => true);
    expect(answer).toMatchObject({
      auctions: count,
      prices: [{ p50: 1_249, min: 0, max: 2_499 }],
      bidders: { distinct: 500, onThreeOrMore: 500, pairs: count },
      run: { status: "idle", slices: 6 },
    });
  });

  test("a bidder of an auction costs one row, and told again none", async () => {
    const { count, database: counting } = countingDatabase();
    const pairs = Array.from({ length: 300 }, (_, index) => ["rows", `bidder-${index}`, "item"] as const);
    await counting.batch([insertParticipations(pairs)]);
    await counting.batch([insertParticipations(pairs)]);
    expect(count.rowsWritten).toBe(300);
    await counting.batch([storeResult("rows", 1, {})]);
    expect(count.rowsWritten).toBe(301);
  });
});

describe("the routes", () => {
  const asOf = "2026-11-25T12:00:00.000Z";
  const result = (more: object) => ({
    category: "z-listed",
    asOf,
    auctions: 1,
    sold: 1,
    unsold: 0,
    withdrawn: 0,
    sellThrough: 1,
    currencies: 0,
    prices: [],
    bidders: { distinct: 0, onThreeOrMore: 0, pairs: 0, most: [], expectedPairs: 0 },
    run: { startedAt: asOf, finishedAt: asOf, slices: 1, rows: 1 },
    ...more,
  });

  test("find an analysis whatever its value holds, by its id in the path", async () => {
    const value = "50 % größer/kleiner? #1=a:b";
    await database.batch([
      storeResult(`cars:size=${value}`, 1, result({ attribute: { name: "size", value } })),
    ]);
    const answer = await answered<Answer>(readAnalysis(`cars:size=${value}`), 200);
    expect(answer).toMatchObject({ id: `cars:size=${value}`, run: { status: "idle" } });
    await database.batch([storeResult("z-listed:size=5", 1, result({}))]);
    expect((await call("/v1/analyses/z-listed:size=5")).status).toBe(200);
  });

  test("list what has a result, page by page, without prices and bidders", async () => {
    for (let index = 0; index < 5; index += 1) {
      await database.batch([storeResult(`z-list-${index}`, 1, result({}))]);
    }
    const seen: AnalysisSummary[] = [];
    let cursor: string | undefined = "z-list";
    while (cursor !== undefined) {
      const query = new URLSearchParams({ cursor, limit: "2" });
      const page: { analyses: AnalysisSummary[]; next?: string } = await answered(
        call(`/v1/analyses?${String(query)}`),
        200,
      );
      expect(page.analyses.length).toBeLessThanOrEqual(2);
      seen.push(...page.analyses.filter(({ id }) => id.startsWith("z-list-")));
      cursor = page.next;
    }
    expect(seen.map(({ id }) => id)).toEqual(Array.from({ length: 5 }, (_, index) => `z-list-${index}`));
    expect(seen[0]).toEqual({
      ...{ id: "z-list-0", category: "z-listed", asOf, auctions: 1, sold: 1, sellThrough: 1 },
    });
  });

  test("make no object for an id that has no result", async () => {
    expect((await readAnalysis("Nothing like an id/")).status).toBe(404);
    expect((await call("/v1/analyses/%E0%A4%A")).status).toBe(404);
  });

  test("need the scope read, and take what they know alone", async () => {
    expect((await call("/v1/analyses/cars", { key: null })).status).toBe(401);
    expect((await call("/v1/analyses?order=id")).status).toBe(400);
    const other = await call("/v1/analyses", { method: "POST", body: {} });
    expect(other.headers.get("allow")).toBe("GET, HEAD, OPTIONS");
  });

  test("are 503 without the database", async () => {
    await d1.exec("ALTER TABLE analyses RENAME TO gone");
    try {
      expect(await answered(readAnalysis("cars"), 503)).toMatchObject({ code: "database-unavailable" });
    } finally {
      await d1.exec("ALTER TABLE gone RENAME TO analyses");
    }
  });
});

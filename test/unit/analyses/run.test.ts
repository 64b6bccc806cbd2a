import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readAuctions } from "../../../demo/auctions.ts";
import type { AnalysisResult } from "../../../src/functions/market-analysis/result.ts";
import { acceptedBids } from "../../support/accepted-bids.ts";
import { completedAuction } from "../../support/completed-records.ts";
import { AnalysisWorld, type Bidden, findingsOf } from "./analyses-world.ts";

const midnight = Date.parse("2026-11-25T00:00:00.000Z");

const drawn = fc.array(
  fc.record({
    category: fc.constantFrom("cars", "cars", "lamps"),
    currency: fc.constantFrom("EUR", "USD"),
    outcome: fc.constantFrom("sold" as const, "sold" as const, "unsold" as const, "withdrawn" as const),
    price: fc.integer({ min: 0, max: 5_000 }),
    year: fc.constantFrom(2018, "2018", 2019, 2018.5, undefined),
    closedAt: fc.integer({ min: midnight, max: midnight + 5 }),
    bidders: fc.uniqueArray(fc.integer({ min: 0, max: 9 }), { maxLength: 6 }),
  }),
  { maxLength: 40 },
);

function biddenOf(all: typeof drawn extends fc.Arbitrary<infer Value> ? Value : never): Bidden[] {
  return all.map(({ year, closedAt, bidders, price, outcome, ...rest }, index) => ({
    auction: completedAuction(`item-${String(index).padStart(2, "0")}`, {
      ...rest,
      outcome,
      ...(outcome === "sold" ? { price } : {}),
      ...(year === undefined ? {} : { attributes: { year, note: 'a "quoted" note' } }),
      closedAt: new Date(closedAt).toISOString(),
      bidders: bidders.length,
    }),
    bidders: bidders.map((bidder) => `bidder-${bidder}`),
  }));
}

/** What has to come out, computed from the auctions themselves. */
function expectedOf(all: readonly Bidden[], category: string, year?: string) {
  const inSet = all.filter(
    ({ auction }) =>
      auction.category === category && (year === undefined || String(auction.attributes?.["year"]) === year),
  );
  const count = (status: string) => inSet.filter(({ auction }) => auction.outcome === status).length;
  const [sold, unsold] = [count("sold"), count("unsold")];
  const auctionsOf = Map.groupBy(
    inSet.flatMap(({ bidders }) => bidders),
    (bidder) => bidder,
  );
  const repeated = [...auctionsOf].filter(([, auctions]) => auctions.length >= 3);
  const pairs = inSet.reduce((sum, { bidders }) => sum + bidders.length, 0);
  return {
    category,
    ...(year === undefined ? {} : { attribute: { name: "year", value: year } }),
    auctions: inSet.length,
    ...{ sold, unsold, withdrawn: count("withdrawn") },
    sellThrough: sold + unsold === 0 ? null : sold / (sold + unsold),
    bidders: {
      distinct: auctionsOf.size,
      onThreeOrMore: repeated.length,
      ...{ pairs, expectedPairs: pairs },
      most: repeated
        .map(([bidderId, auctions]) => ({ bidderId, auctions: auctions.length }))
        .toSorted((one, other) => other.auctions - one.auctions || (one.bidderId < other.bidderId ? -1 : 1)),
    },
  };
}

/** Prices of one currency by the database itself, from the events' data and no other column. */
function pricesInSql(world: AnalysisWorld, category: string, currency: string) {
  const quantile = (part: number) =>
    `(SELECT price FROM ranked WHERE rank >= ${part} * (SELECT count(*) FROM ranked) - 1e-9 ORDER BY rank LIMIT 1)`;
  const row = world.database.sqlite
    .prepare(
      `WITH prices AS (SELECT data ->> '$.price' AS price FROM auctions
                       WHERE data ->> '$.category' = ? AND data ->> '$.currency' = ? AND data ->> '$.price' NOT NULL),
            ranked AS (SELECT price, row_number() OVER (ORDER BY price) AS rank FROM prices)
       SELECT min(price) AS min, ${quantile(0.05)} AS p5, ${quantile(0.25)} AS p25, ${quantile(0.5)} AS p50,
              ${quantile(0.75)} AS p75, ${quantile(0.95)} AS p95, max(price) AS max,
              CAST(round(avg(price)) AS INTEGER) AS mean, count(*) AS sold FROM prices`,
    )
    .get(category, currency);
  return { ...row };
}

async function run(world: AnalysisWorld): Promise<AnalysisResult> {
  await world.core.request();
  await world.settle();
  const result = await world.result();
  if (result === null) throw new Error("a run that is over has a result");
  return result;
}

describe("what a run finds", () => {
  test.each(["cars", "cars:year=2018", "cars:year=2018.5"])(
    "of %s is what the auctions say, whatever the size of its slices",
    async (id) => {
      await fc.assert(
        fc.asyncProperty(drawn, fc.integer({ min: 1, max: 9 }), async (all, sliceRows) => {
          const bidden = biddenOf(all);
          const world = new AnalysisWorld(id, { sliceRows });
          await world.restart();
          await world.finish(bidden);
          const result = await run(world);
          expect(result).toMatchObject(expectedOf(bidden, "cars", id.split("=")[1]));
          if (id !== "cars") return;
          for (const { currency, error, ...found } of result.prices) {
            expect(error).toBe(0);
            expect(found).toMatchObject(pricesInSql(world, "cars", currency));
            expect(found.histogram.reduce((sum, { count }) => sum + count, 0)).toBe(found.sold);
          }
        }),
        { numRuns: 60 },
      );
    },
  );

  test("of nothing is nothing, and no number is divided by zero", async () => {
    const world = new AnalysisWorld("cars");
    await world.restart();
    expect(await run(world)).toMatchObject({ auctions: 0, sellThrough: null, prices: [], currencies: 0 });
  });
});

describe("on the real auctions of eBay", () => {
  const published = readAuctions("demo/ebay-auctions.csv");
  const start = Date.parse("2026-11-01T00:00:00.000Z");
  const bids = acceptedBids(published);
  const ofAuction = Map.groupBy(bids, ({ auction }) => auction);
  const bidden = published.map(({ id, category, days, openingPrice }): Bidden => {
    const placed = ofAuction.get(id) ?? [];
    const bidders = [...new Set(placed.map(({ bidder }) => bidder))];
    const price = placed.at(-1)?.amount;
    const auction = completedAuction(id, {
      ...{ category, currency: "USD", startingPrice: openingPrice, bidders: bidders.length },
      ...(price === undefined ? { outcome: "unsold" } : { outcome: "sold", price }),
      closedAt: new Date(start + days * 86_400_000).toISOString(),
    });
    return { auction, bidders };
  });

  test.each([...new Set(published.map(({ category }) => category))])(
    "%s comes out as one SQL over its bids says",
    async (category) => {
      const world = new AnalysisWorld(category, { sliceRows: 50 });
      await world.restart();
      await world.finish(bidden);
      const result = await run(world);

      const { sqlite } = world.database;
      sqlite.exec("CREATE TABLE bids (auction, category, bidder, amount)");
      const insert = sqlite.prepare("INSERT INTO bids VALUES (?, ?, ?, ?)");
      for (const { auction, category: of, bidder, amount } of bids) insert.run(auction, of, bidder, amount);
      const counted = sqlite
        .prepare(
          `WITH each AS (SELECT bidder, count(DISTINCT auction) AS auctions FROM bids WHERE category = ? GROUP BY bidder)
           SELECT count(*) AS "distinct", sum(auctions) AS pairs, sum(auctions >= 3) AS onThreeOrMore FROM each`,
        )
        .get(category);
      const most = sqlite
        .prepare(
          `SELECT bidder AS bidderId, count(DISTINCT auction) AS auctions FROM bids WHERE category = ?
           GROUP BY bidder HAVING auctions >= 3 ORDER BY auctions DESC, bidder LIMIT 20`,
        )
        .all(category);
      expect(result.bidders).toEqual({
        ...counted,
        expectedPairs: counted?.["pairs"],
        most: most.map((row) => ({ ...row })),
      });
      const quantile = (part: number) =>
        sqlite
          .prepare(
            `WITH sold AS (SELECT max(amount) AS price FROM bids WHERE category = ? GROUP BY auction)
             SELECT price FROM sold ORDER BY price
             LIMIT 1 OFFSET (SELECT CAST(ceil(count(*) * ?) AS INTEGER) - 1 FROM sold)`,
          )
          .get(category, part)?.["price"];
      expect(result.prices).toMatchObject([
        {
          p5: quantile(0.05),
          p25: quantile(0.25),
          p50: quantile(0.5),
          p75: quantile(0.75),
          p95: quantile(0.95),
        },
      ]);
      expect(result.prices).toMatchObject([pricesInSql(world, category, "USD")]);
      expect(result.bidders.onThreeOrMore).toBeGreaterThan(0);
    },
  );
});

describe("a crash", () => {
  const some = Array.from({ length: 23 }, (_, index): Bidden => {
    const bidders = Array.from({ length: index % 5 }, (__, bidder) => `bidder-${bidder}`);
    const price = 100 + index * 7;
    return {
      auction: completedAuction(`item-${index}`, { category: "cars", price, bidders: bidders.length }),
      bidders,
    };
  });

  async function started(): Promise<AnalysisWorld> {
    // Each alarm is one slice.
    const world = new AnalysisWorld("cars", { sliceRows: 4, alarmMs: 0 });
    await world.restart();
    await world.finish(some);
    await world.core.request();
    world.database.asked.length = 0;
    return world;
  }

  test("between any two slices, with an alarm that is kept or lost, ends in the same result", async () => {
    const undisturbed = await started();
    const alarms = await undisturbed.settle();
    expect(alarms).toBeGreaterThan(15);
    const expected = findingsOf(await undisturbed.result());
    for (let at = 0; at <= alarms; at += 1) {
      for (const isLost of [false, true]) {
        const world = await started();
        for (let alarm = 0; alarm < at; alarm += 1) await world.fire();
        if (isLost) world.alarmAt = null;
        await world.restart();
        await world.settle();
        const result = await world.result();
        expect(findingsOf(result)).toEqual(expected);
        expect(result?.run.slices).toBe((await undisturbed.result())?.run.slices);
      }
    }
  });

  test("at any statement of the database or transaction of the object, before or behind its effect, likewise", async () => {
    const undisturbed = await started();
    await undisturbed.settle();
    const statements = undisturbed.database.asked.length;
    const expected = findingsOf(await undisturbed.result());
    expect(statements).toBeGreaterThan(15);
    for (let at = 0; at < statements; at += 1) {
      for (const fault of ["before", "after"] as const) {
        const world = await started();
        world.database.faults.push(...Array.from({ length: at }, () => "none" as const), fault);
        await world.settle();
        expect(findingsOf(await world.result())).toEqual(expected);
      }
      const world = await started();
      world.failsAfter = at;
      await world.settle();
      expect(findingsOf(await world.result())).toEqual(expected);
    }
  });

  test("of the database for an hour is tried again, ever more rarely, and the run goes on where it was", async () => {
    const world = await started();
    for (let alarm = 0; alarm < 5; alarm += 1) await world.fire();
    const before = await world.core.runStatus();
    world.database.faults.push(...Array.from({ length: 60 }, () => "before" as const));
    const from = world.now;
    while (world.database.faults.length > 0) await world.fire();
    expect(world.now - from).toBeGreaterThan(50 * 60_000);
    expect(await world.core.runStatus()).toEqual(before);
    await world.settle();
    expect(await world.result()).toMatchObject({ auctions: 23 });
  });
});

test("a run over an attribute's value reads its own rows alone, however many its category has", async () => {
  const world = new AnalysisWorld("cars:year=v3");
  await world.restart();
  await world.finish(
    Array.from({ length: 100 }, (_, index) => ({
      auction: completedAuction(`item-${index}`, {
        ...{ category: "cars", bidders: 2 },
        attributes: { year: `v${index % 50}` },
      }),
      bidders: ["ann", "ben"],
    })),
  );
  expect(await run(world)).toMatchObject({ auctions: 2, bidders: { pairs: 4 }, run: { rows: 6 } });
});

test("an auction that completes once more with another value leaves the set, and one that is deleted likewise", async () => {
  const world = new AnalysisWorld("cars:year=2018");
  await world.restart();
  const car = (itemId: string, year: number) => ({
    auction: completedAuction(itemId, { category: "cars", attributes: { year } }),
    bidders: ["ann"],
  });
  await world.finish([car("left", 2018), car("stays", 2018), car("deleted", 2018)]);
  await world.finish([car("left", 2019)]);
  world.database.sqlite.exec("DELETE FROM auctions WHERE item_id = 'deleted'");
  expect(await run(world)).toMatchObject({ auctions: 1, bidders: { pairs: 1 } });
});

describe("many who ask", () => {
  const one = (index: number): Bidden => ({
    auction: completedAuction(`item-${index}`, { category: "cars" }),
    bidders: ["ben"],
  });

  test("in a short time make one run, and cost the one row that the first of them wrote", async () => {
    const world = new AnalysisWorld("cars");
    await world.restart();
    await world.core.request();
    world.failsAfter = 0;
    for (let index = 0; index < 100; index += 1) await world.core.request();
    world.failsAfter = undefined;
    await world.finish([one(1)]);
    expect(await world.settle()).toBe(1);
    expect(await world.result()).toMatchObject({ auctions: 1 });
  });

  test("while a run goes on make one more, which finds what came meanwhile, after a rest", async () => {
    const world = new AnalysisWorld("cars", { sliceRows: 1, alarmMs: 0 });
    await world.restart();
    await world.finish([one(1), one(2)]);
    await world.core.request();
    await world.fire();
    expect(await world.core.runStatus()).toMatchObject({ status: "running", slices: 1 });
    // Closes as the others did, and before them by its id: the run is past its place.
    await world.finish([one(0)]);
    for (let index = 0; index < 10; index += 1) await world.core.request();
    while ((await world.core.runStatus()).status === "running") await world.fire();
    expect(await world.result()).toMatchObject({ auctions: 2 });
    const ended = world.now;
    expect(await world.core.runStatus()).toEqual({ status: "waiting" });
    expect(world.alarmAt).toBeGreaterThanOrEqual(ended + world.settings.restMs);
    await world.fire();
    const began = world.now;
    await world.settle();
    const result = await world.result();
    expect(result).toMatchObject({ auctions: 3, asOf: new Date(began).toISOString() });
    expect(await world.core.runStatus()).toEqual({ status: "idle" });
  });

  const restOf = async (id: string, values: number): Promise<number> => {
    const world = new AnalysisWorld(id);
    await world.restart();
    await world.finish(
      Array.from({ length: values }, (_, index) => ({
        auction: completedAuction(`item-${index}`, { category: "cars", attributes: { year: index } }),
        bidders: [],
      })),
    );
    world.queryMs = 4_000;
    await world.core.request();
    await world.settle();
    const ended = world.now;
    await world.core.request();
    return ((world.alarmAt ?? 0) - ended) / 12_000;
  };

  test.each([1, 3, 200])(
    "of a category with %i values have no more than a tenth together: half of it the category, half its sets",
    async (values) => {
      const shareOf = async (id: string) => 1 / (1 + (await restOf(id, values)));
      expect(await shareOf("cars")).toBeCloseTo(0.05);
      expect((await shareOf("cars:year=0")) * values).toBeCloseTo(0.05);
    },
  );

  test("cannot have more of the database than a tenth: a run rests nine times as long as it took", async () => {
    const world = new AnalysisWorld("cars");
    await world.restart();
    world.queryMs = 4_000;
    await world.core.request();
    await world.settle();
    const ended = world.now;
    await world.core.request();
    expect(world.alarmAt).toBeCloseTo(ended + 9 * 12_000);
  });

  test("get no for an answer where it could not be stored that they did", async () => {
    const world = new AnalysisWorld("cars");
    await world.restart();
    world.failsAfter = 0;
    await expect(world.core.request()).rejects.toThrow("the disk is full");
    expect(await world.core.runStatus()).toEqual({ status: "idle" });
  });
});

test("an older run that comes through behind a newer one changes nothing", async () => {
  const world = new AnalysisWorld("cars", { alarmMs: 0 });
  await world.restart();
  await world.core.request();
  await world.fire();
  world.database.sqlite
    .prepare(`INSERT INTO analyses VALUES ('cars', ?, '{"newer":true}')`)
    .run(world.now + 1);
  await world.settle();
  expect(await world.result()).toEqual({ newer: true });
});

import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { describe, expect, test } from "vitest";
import type { PublishedAuction } from "../../../demo/auctions.ts";
import { eventTypes } from "../../../src/topics.ts";
import { ebayAuctions, ebayDatabase, ebayJournal } from "../../support/ebay-journal.ts";
import { ReplayWorld } from "./replay-world.ts";

interface Spread {
  readonly count: number;
  readonly mean: number;
  readonly least: number;
  readonly p05: number;
  readonly p25: number;
  readonly median: number;
  readonly p75: number;
  readonly p95: number;
  readonly greatest: number;
}

interface WhatIf {
  readonly auctions: { finished: number; withdrawn: number; unfinished: number; sampled: number };
  readonly observed: { sold: number; sellThrough: number; prices: Spread };
  readonly simulated: {
    seasons: number;
    prices: Spread | null;
    perSeason: { sold: Spread; sellThrough: number; averagePrice: Spread; grossValue: Spread };
  };
}

const category = "palm-pilot";
const currency = "USD";
const auctions = ebayAuctions();
const quantiles = { p05: 0.05, p25: 0.25, median: 0.5, p75: 0.75, p95: 0.95 };

function worldOf(some: readonly PublishedAuction[] = auctions, partitions = 4): ReplayWorld {
  const world = new ReplayWorld(partitions);
  for (const record of ebayJournal(some, partitions)) world.log.append(record);
  return world;
}

function whatIf(world: ReplayWorld, parameters: object): Promise<WhatIf> {
  return world.run({ analysis: "what-if", parameters: { category, currency, ...parameters } });
}

/** The prices of the category's auctions that meet a reserve, as SQLite sees them. */
function pricesBySql(reserve: number) {
  const database = ebayDatabase(auctions);
  database.exec(`CREATE VIEW prices AS SELECT max(amount) AS price FROM eligible
    WHERE category = '${category}' GROUP BY auction HAVING max(amount) >= ${reserve}`);
  const rank = (share: number) =>
    `(SELECT price FROM (SELECT price, row_number() OVER (ORDER BY price) AS place, count(*) OVER () AS all_of
        FROM prices) WHERE place >= ${share} * all_of ORDER BY place LIMIT 1)`;
  const ranks = Object.entries(quantiles).map(([name, share]) => `${rank(share)} AS ${name}`);
  return database
    .prepare(
      `SELECT count(*) AS count, CAST(round(avg(price)) AS INTEGER) AS mean, min(price) AS least,
         ${ranks.join(", ")}, max(price) AS greatest FROM prices`,
    )
    .get();
}

describe("what-if", () => {
  test("without chance, with any reserve, has the prices that SQL finds in the data", async () => {
    for (const reserve of [0, 15_000, 24_000, 27_000]) {
      const world = worldOf();
      const { simulated, auctions: counts } = await whatIf(world, { reserve, resample: false, seasons: 1 });
      const expected = pricesBySql(reserve);
      expect(simulated.prices, String(reserve)).toEqual(expected);
      expect(simulated.perSeason.sold.mean).toBe(expected?.["count"]);
      expect(counts).toEqual({ finished: 343, withdrawn: 0, unfinished: 0, sampled: 343 });
    }
    expect((await whatIf(worldOf(), { reserve: 10 ** 9, resample: false })).simulated.prices).toBeNull();
  });

  test("observes what the auctions came to", async () => {
    const { observed } = await whatIf(worldOf(), { seasons: 1 });
    expect(observed.prices).toEqual(pricesBySql(0));
    expect(observed.sold).toBe(343);
  });

  test("with bidders absent comes to the expectation and the distribution that SQL computes exactly", async () => {
    const absent = 0.4;
    const seasons = 2_000;
    const { simulated } = await whatIf(worldOf(), { absent, resample: false, seasons });
    // The price is the highest amount of the bidders present: the k-th highest of an auction's
    // bidders is it where they are present and the k - 1 above are not.
    const masses = ebayDatabase(auctions)
      .prepare(
        `WITH highest AS (SELECT auction, max(amount) AS amount FROM eligible WHERE category = ? GROUP BY auction, bidder)
         SELECT amount, (1 - ?) * power(?, row_number() OVER (PARTITION BY auction ORDER BY amount DESC) - 1) AS mass
         FROM highest ORDER BY amount`,
      )
      .all(category, absent, absent) as { amount: number; mass: number }[];
    const sold = masses.reduce((sum, { mass }) => sum + mass, 0);
    const gross = masses.reduce((sum, { amount, mass }) => sum + amount * mass, 0);
    const errorOf = ({ p05, p95 }: Spread) => (p95 - p05) / 3.29 / Math.sqrt(seasons);
    const { perSeason, prices } = simulated;
    expect(Math.abs(perSeason.sellThrough * 343 - sold)).toBeLessThan(4 * errorOf(perSeason.sold));
    expect(Math.abs(perSeason.grossValue.mean - gross)).toBeLessThan(4 * errorOf(perSeason.grossValue));
    for (const [name, share] of Object.entries(quantiles)) {
      const value = prices?.[name as keyof typeof quantiles] ?? 0;
      const below = masses.reduce((sum, { amount, mass }) => sum + (amount < value ? mass : 0), 0) / sold;
      const upTo = masses.reduce((sum, { amount, mass }) => sum + (amount <= value ? mass : 0), 0) / sold;
      expect(below, name).toBeLessThan(share + 0.01);
      expect(upTo, name).toBeGreaterThan(share - 0.01);
    }
    expect(perSeason.averagePrice.mean).toBeLessThan(Number(pricesBySql(0)?.["mean"]));
  });

  test("drawn with replacement has the mean of the data, and a spread as wide as its error", async () => {
    const { simulated } = await whatIf(worldOf(), { seasons: 2_000 });
    const { mean } = pricesBySql(0) as unknown as Spread;
    const [{ deviation } = { deviation: 0 }] = ebayDatabase(auctions)
      .prepare(
        `WITH prices AS (SELECT max(amount) AS price FROM eligible WHERE category = ? GROUP BY auction)
         SELECT sqrt(avg(price * price) - avg(price) * avg(price)) AS deviation FROM prices`,
      )
      .all(category) as { deviation: number }[];
    const { averagePrice } = simulated.perSeason;
    const error = deviation / Math.sqrt(343);
    expect(Math.abs(averagePrice.mean - mean)).toBeLessThan((4 * error) / Math.sqrt(2_000) + 1);
    expect((averagePrice.p95 - averagePrice.p05) / (3.29 * error)).toBeGreaterThan(0.9);
    expect((averagePrice.p95 - averagePrice.p05) / (3.29 * error)).toBeLessThan(1.1);
  });

  test("is the same for a seed, whatever its slices and wherever its objects end; and another for another", async () => {
    const some = auctions.slice(0, 30);
    const asked = { absent: 0.3, seasons: 50, seed: 7 };
    const calm = await whatIf(worldOf(some), asked);
    let ends = 0;
    for (let left = 0; left < 100; left += 9) {
      const world = worldOf(some);
      world.statementsLeft = left;
      world.log.mostRecords = 40;
      world.log.failures = left % 4;
      expect(await whatIf(world, asked), String(left)).toEqual(calm);
      ends += world.ends;
    }
    expect(ends).toBeGreaterThan(50);
    expect((await whatIf(worldOf(some), { ...asked, seed: 8 })).simulated).not.toEqual(calm.simulated);
  });

  test("with nobody absent comes to what the reducer decided, whatever increments and reserves there are", async () => {
    const chance = xoroshiro128plus(11);
    const drawn = (least: number, most: number) => uniformInt(chance, least, most);
    const world = new ReplayWorld(1);
    const journal = ebayJournal(auctions.slice(0, 150), 1).map((record) => {
      if (!record.headers.some(({ value }) => value === eventTypes.itemOpened)) return record;
      const listed = JSON.parse(record.value) as { startingPrice: number };
      const reserve = listed.startingPrice + drawn(0, 30_000);
      return { ...record, value: JSON.stringify({ ...listed, increment: drawn(1, 4_000), reserve }) };
    });
    for (const record of journal) world.log.append(record);
    const { observed, simulated } = await whatIf(world, { resample: false, seasons: 1 });
    expect(observed.sold).toBeGreaterThan(20);
    expect(observed.sold).toBeLessThan(149);
    expect(simulated.prices).toEqual(observed.prices);
  });

  test("says how many auctions are unfinished, and leaves them out", async () => {
    const world = worldOf();
    const result = await world.run<WhatIf>({
      analysis: "what-if",
      parameters: { category, currency },
      to: 500,
    });
    expect(result.auctions.unfinished).toBeGreaterThan(0);
    expect(result.auctions.finished + result.auctions.unfinished).toBe(343);
    expect(result.observed.sold).toBe(result.auctions.sampled);
  });

  test("of a category without auctions has no season, and says so", async () => {
    const { auctions: counts, simulated } = await whatIf(worldOf(), { category: "chairs" });
    expect(counts).toEqual({ finished: 0, withdrawn: 0, unfinished: 0, sampled: 0 });
    expect(simulated).toMatchObject({ seasons: 0, prices: null });
  });
});

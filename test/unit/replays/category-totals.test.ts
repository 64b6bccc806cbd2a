import { describe, expect, test } from "vitest";
import { mergeCategories } from "../../../src/routes/merge-stats.ts";
import { categoryStats } from "../../../durable-objects/reads.ts";
import { StoredAuction } from "../../../durable-objects/storage/auction-store.ts";
import { Reducer } from "../../../src/auction/reducer.ts";
import { topics } from "../../../src/topics.ts";
import { ebayAuctions, ebayDatabase, ebayJournal } from "../../support/ebay-journal.ts";
import { memoryStorage } from "../../support/sqlite-storage.ts";
import { ReplayWorld } from "./replay-world.ts";

const partitions = 4;
const auctions = ebayAuctions();

function worldOf(journal = ebayJournal(auctions, partitions)): ReplayWorld {
  const world = new ReplayWorld(partitions);
  for (const record of journal) world.log.append(record);
  return world;
}

/** What live partitions answer once they are at `to`. */
function liveStats(world: ReplayWorld, to = Number.POSITIVE_INFINITY) {
  const stats = Array.from({ length: partitions }, (_, partition) => {
    const store = new StoredAuction(memoryStorage());
    const context = { group: "auction", topic: topics.journal, itemsTopic: topics.items, partition };
    const reducer = new Reducer(store, { ...context, onOutcome: () => undefined });
    for (const record of world.log.topic(`${topics.journal}/${partition}`).slice(0, to))
      reducer.apply(record);
    return categoryStats(store);
  });
  return JSON.parse(JSON.stringify(mergeCategories(stats))) as unknown;
}

describe("category-totals", () => {
  test("counts real auctions as an independent SQL computation does", async () => {
    const { categories } = await worldOf().run<{ categories: unknown[] }>({ analysis: "category-totals" });
    const counted = ebayDatabase(auctions)
      .prepare(
        `WITH closed AS (SELECT auctions.id, auctions.category, max(amount) AS price,
             coalesce(sum(amount > before), 0) AS accepted
           FROM auctions LEFT JOIN eligible ON auction = id GROUP BY id)
         SELECT category, count(price) AS sold, sum(price IS NULL) AS unsold, sum(accepted) AS bids,
           sum(price) AS grossValue, round(avg(price)) AS averagePrice FROM closed GROUP BY category ORDER BY category`,
      )
      .all();
    const none = { scheduled: 0, open: 0, withdrawn: 0 };
    expect(categories).toEqual(counted.map((row) => ({ currency: "USD", ...none, ...row })));
    expect(counted.reduce((sum, { bids }) => sum + Number(bids), 0)).toBe(4263);
  });

  test("equals the live aggregates at the same positions, also in the middle of the log", async () => {
    for (const to of [1, 130, 700, 1_500]) {
      const world = worldOf();
      const ends = Array.from(
        { length: partitions },
        (_, p) => world.log.topic(`${topics.journal}/${p}`).length,
      );
      const result = await world.run({ analysis: "category-totals", to: Math.min(to, ...ends) });
      expect(result, String(to)).toEqual(liveStats(world, Math.min(to, ...ends)));
    }
    expect(await worldOf().run({ analysis: "category-totals" })).toEqual(liveStats(worldOf()));
  });

  test("is the same whenever its objects end, between any two statements, and whenever the log is away", async () => {
    const few = ebayJournal(auctions.slice(0, 12), partitions);
    const calm = await worldOf(few).run({ analysis: "category-totals" });
    let ends = 0;
    for (let left = 0; left < 120; left += 7) {
      const world = worldOf(few);
      world.statementsLeft = left;
      world.log.failures = left % 3;
      world.log.mostRecords = 9;
      expect(await world.run({ analysis: "category-totals" }), String(left)).toEqual(calm);
      ends += world.ends;
    }
    expect(ends).toBeGreaterThan(100);
  });
});

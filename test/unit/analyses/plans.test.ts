import { expect, test } from "vitest";
import {
  admitSets,
  countSets,
  selectAdmitted,
} from "../../../src/functions/market-analysis/set-statements.ts";
import type { AuctionSet } from "../../../src/functions/market-analysis/sets.ts";
import { selectAuctions, selectParticipations } from "../../../src/functions/market-analysis/statements.ts";
import { memoryDatabase, plansOf } from "../../support/sqlite-database.ts";

test("a slice follows an index, sorts nothing, and reads no more than its rows", async () => {
  const plansFor = (set: AuctionSet) =>
    plansOf(memoryDatabase(), async (watched) => {
      await watched.query(selectAuctions(set, [5, "item-1"], 10));
      await watched.query(selectParticipations(set, ["ben", "item-1"], 10));
    });
  expect(await plansFor({ category: "cars" })).toEqual([
    "SEARCH auctions USING INDEX auctions_category (category=? AND (closed_at,item_id)>(?,?))",
    "SEARCH pair USING PRIMARY KEY (category=? AND (bidder_id,item_id)>(?,?))",
    "SEARCH auctions USING PRIMARY KEY (item_id=?) LEFT-JOIN",
  ]);
  expect(await plansFor({ category: "cars", attribute: { name: "year", value: "2018" } })).toEqual([
    "SEARCH set_auctions USING PRIMARY KEY (set_id=? AND item_id>?)",
    "SEARCH auctions USING PRIMARY KEY (item_id=?) LEFT-JOIN",
    "SEARCH pair USING PRIMARY KEY (set_id=? AND (bidder_id,item_id)>(?,?))",
    "SEARCH auctions USING PRIMARY KEY (item_id=?) LEFT-JOIN",
  ]);
});

test("which values are analysed, and how many, is found by their table's key", async () => {
  const set = { category: "cars", attribute: { name: "year", value: "2018" } };
  const plans = await plansOf(memoryDatabase(), async (watched) => {
    await watched.query(selectAdmitted([set]));
    await watched.batch([admitSets([set], 200)]);
    await watched.query(countSets("cars"));
  });
  // Newer versions of SQLite say how they go about EXISTS.
  const looks = plans
    .filter((step) => /known|analysed_sets/.test(step))
    .map((step) => step.replace(" EXISTS", ""));
  expect(new Set(looks)).toEqual(
    new Set([
      "SEARCH known USING PRIMARY KEY (category=? AND attribute=? AND value=?)",
      "SEARCH known USING PRIMARY KEY (category=? AND attribute=?)",
      "SEARCH analysed_sets USING PRIMARY KEY (category=?)",
    ]),
  );
});

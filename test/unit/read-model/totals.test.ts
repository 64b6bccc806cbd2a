import { expect, test } from "vitest";
import { createAnalytics } from "../../../src/functions/analytics/analytics.ts";
import { countTotals } from "../../../src/functions/analytics/statements.ts";
import {
  type DayTotals,
  listTotals,
  type TotalsPlace,
  type TotalsQuery,
} from "../../../src/read-model/totals.ts";
import { completedAuction, completedRecord, invocationOf } from "../../support/completed-records.ts";
import { memoryDatabase, plansOf } from "../../support/sqlite-database.ts";

const day = 86_400_000;
const firstDay = Date.parse("2026-11-01T00:00:00.000Z") / day;

/** Ten days of three categories and two currencies, an auction for each hour of each. */
async function tenDays() {
  const database = memoryDatabase();
  const records = [];
  for (let hour = 0; hour < 240; hour += 1) {
    for (const category of ["cars", "lamps", "vases"]) {
      for (const currency of ["EUR", "USD"]) {
        const auction = completedAuction(`${category}-${currency}-${hour}`, {
          category,
          currency,
          price: 100,
          bids: 3,
          closedAt: new Date(firstDay * day + hour * 3_600_000 + 3_599_999).toISOString(),
        });
        records.push(completedRecord(auction, records.length + 1));
      }
    }
  }
  await createAnalytics(database)(invocationOf(records));
  return database;
}

test("totals are one for each day, category and currency, in that order, page by page", async () => {
  const database = await tenDays();
  const everyPage = async (query: Omit<TotalsQuery, "limit" | "after">) => {
    const found: DayTotals[] = [];
    let after: TotalsPlace | undefined;
    do {
      const page = await listTotals(database, {
        ...query,
        limit: 7,
        ...(after === undefined ? {} : { after }),
      });
      found.push(...page.totals);
      after = page.next;
    } while (after !== undefined);
    return found;
  };
  const all = await everyPage({});
  expect(all).toHaveLength(60);
  const names = all.map(({ day: at, category, currency }) => `${at} ${category} ${currency}`);
  expect(names).toEqual(names.toSorted());
  for (const { sold, unsold, withdrawn, bids, grossValue } of all) {
    expect({ sold, unsold, withdrawn, bids, grossValue }).toEqual({
      sold: 24,
      unsold: 0,
      withdrawn: 0,
      bids: 72,
      grossValue: 2_400n,
    });
  }
  expect(
    await everyPage({ category: "cars", currency: "USD", from: firstDay + 2, to: firstDay + 4 }),
  ).toEqual(
    all.filter(
      (totals) =>
        totals.category === "cars" &&
        totals.currency === "USD" &&
        [firstDay + 2, firstDay + 3].includes(totals.day),
    ),
  );
});

test("a page of totals is read in the order of the table, and hours are counted from one index alone", async () => {
  const database = memoryDatabase();
  const after = { day: 5, category: "cars", currency: "EUR" };
  const pages = await plansOf(database, async (watched) => {
    await listTotals(watched, { limit: 5 });
    await listTotals(watched, { limit: 5, from: 3, category: "cars" });
    await listTotals(watched, { limit: 5, to: 9, currency: "EUR" });
    await listTotals(watched, { limit: 5, from: 3, after });
  });
  expect(pages).toHaveLength(4);
  for (const step of pages)
    expect(step).toMatch(/^(?:SCAN auction_totals|SEARCH auction_totals USING PRIMARY KEY .+)$/);
  const counting = await plansOf(database, (watched) =>
    watched.batch([countTotals([[5, "cars", "EUR", 3]])]),
  );
  expect(counting.filter((step) => / auctions /.test(step))).toEqual([
    expect.stringMatching(
      /^SEARCH auctions USING COVERING INDEX auctions_category \(category=\? AND closed_at>\?/,
    ),
  ]);
});

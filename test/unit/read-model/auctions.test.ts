import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createAnalytics } from "../../../src/functions/analytics/analytics.ts";
import type { CompletedAuction } from "../../../src/functions/completed-event.ts";
import type { Place } from "../../../src/lib/cursor.ts";
import { type AuctionQuery, listAuctions } from "../../../src/read-model/auctions.ts";
import { completedAuction, completedRecord, invocationOf } from "../../support/completed-records.ts";
import { memoryDatabase, plansOf, type TestDatabase } from "../../support/sqlite-database.ts";

const day = 86_400_000;
const start = Date.parse("2026-11-01T00:00:00.000Z");

async function filled(auctions: readonly CompletedAuction[]): Promise<TestDatabase> {
  const database = memoryDatabase();
  const records = auctions.map((auction, index) => completedRecord(auction, index + 1));
  await createAnalytics(database)(invocationOf(records));
  return database;
}

/** Every page of a query, and how many there were. */
async function everyPage(database: TestDatabase, query: AuctionQuery, scanned: number) {
  const found: CompletedAuction[] = [];
  let after: Place | undefined;
  let pages = 0;
  do {
    const page = await listAuctions(database, after === undefined ? query : { ...query, after }, scanned);
    expect(page.auctions.length).toBeLessThanOrEqual(query.limit);
    found.push(...page.auctions);
    after = page.next;
    pages += 1;
  } while (after !== undefined && pages < 1_000);
  return { found, pages };
}

/** Equal numbers, texts that read like numbers, and booleans: what a query has to tell apart or not. */
const attributeValue = fc.constantFrom(2018, "2018", 1, "1", true, "true", false, "", "red", 0.1, 1e21, -5);
const attributeName = fc.constantFrom("year", "a b", 'quo"ted', "new\nline", "größe", "$.year", "");

const auctions = fc.array(
  fc.record({
    category: fc.constantFrom("cars", "lamps"),
    outcome: fc.constantFrom("sold" as const, "unsold" as const, "withdrawn" as const),
    // Few times, so that many auctions close at once.
    at: fc.integer({ min: 0, max: 5 }),
    attributes: fc.option(fc.dictionary(attributeName, attributeValue, { maxKeys: 4 }), { nil: undefined }),
  }),
  { maxLength: 40 },
);

const query = fc.record({
  category: fc.option(fc.constantFrom("cars", "lamps", "none"), { nil: undefined }),
  status: fc.option(fc.constantFrom("sold" as const, "unsold" as const), { nil: undefined }),
  attributes: fc.array(
    fc.tuple(attributeName, fc.oneof(attributeValue.map(String), fc.constantFrom("1e21", "1e+21", "2018.0"))),
    { maxLength: 2 },
  ),
  from: fc.option(fc.integer({ min: 0, max: 5 }), { nil: undefined }),
  to: fc.option(fc.integer({ min: 0, max: 6 }), { nil: undefined }),
  limit: fc.integer({ min: 1, max: 7 }),
});

function isWritten(value: string | number | boolean | undefined, text: string): boolean {
  if (typeof value === "number") return text !== "" && Number(text) === value;
  return value === text || (typeof value === "boolean" && String(value) === text);
}

describe("finished auctions", () => {
  test("are all that a query asks for, once each, the last closed first, whatever the pages are", async () => {
    await fc.assert(
      fc.asyncProperty(auctions, query, fc.integer({ min: 8, max: 20 }), async (made, asked, scanned) => {
        const all = made.map(({ at, attributes, ...more }, index) =>
          completedAuction(`item-${String(index).padStart(2, "0")}`, {
            ...more,
            ...(attributes === undefined ? {} : { attributes }),
            closedAt: new Date(start + at * day).toISOString(),
          }),
        );
        const { category, status, from, to, attributes, limit } = asked;
        const wanted = all
          .filter((auction) => category === undefined || auction.category === category)
          .filter((auction) => status === undefined || auction.outcome === status)
          .filter((auction) => from === undefined || Date.parse(auction.closedAt) >= start + from * day)
          .filter((auction) => to === undefined || Date.parse(auction.closedAt) < start + to * day)
          .filter((auction) =>
            attributes.every(([name, value]) => {
              const own = Object.entries(auction.attributes ?? {}).find(([key]) => key === name);
              return own !== undefined && isWritten(own[1], value);
            }),
          )
          .toSorted((left, right) => (left.closedAt + left.itemId < right.closedAt + right.itemId ? 1 : -1));
        const { found } = await everyPage(
          await filled(all),
          {
            attributes,
            limit,
            ...(category === undefined ? {} : { category }),
            ...(status === undefined ? {} : { status }),
            ...(from === undefined ? {} : { from: start + from * day }),
            ...(to === undefined ? {} : { to: start + to * day }),
          },
          scanned,
        );
        expect(found).toEqual(wanted);
      }),
      { numRuns: 300 },
    );
  });

  test.each<[string | number | boolean, readonly string[], readonly string[]]>([
    [2018, ["2018", "2018.0", "2.018e3"], ["2019", "", "02018x", "true"]],
    ["2018", ["2018"], ["2018.0", "2018 "]],
    [1, ["1"], ["true", "+1"]],
    [true, ["true"], ["1", "TRUE", "false"]],
    ["true", ["true"], ["1"]],
    [0.1, ["0.1", "1e-1"], ["0.10000000000000002"]],
    [2 ** 60, [String(2 ** 60), "1152921504606846976"], ["1152921504606847744"]],
    ["", [""], ["0"]],
    ["a\u0000b", ["a\u0000b"], ["a", "a\u0000c"]],
  ])("with the attribute %j are found by %j, and not by %j", async (value, found, missed) => {
    const database = await filled([completedAuction("item-1", { attributes: { other: 5, a: value } })]);
    const count = async (text: string) =>
      (await listAuctions(database, { attributes: [["a", text]], limit: 5 })).auctions.length;
    for (const text of found) expect([text, await count(text)]).toEqual([text, 1]);
    for (const text of missed) expect([text, await count(text)]).toEqual([text, 0]);
  });

  test("that hardly any meets a filter are looked through in bounded steps", async () => {
    const made = Array.from({ length: 500 }, (_, index) =>
      completedAuction(`item-${String(index).padStart(3, "0")}`, {
        attributes: { year: index === 0 ? 2018 : 2019 },
        closedAt: new Date(start + index * 1_000).toISOString(),
      }),
    );
    const database = await filled(made);
    const { found, pages } = await everyPage(database, { attributes: [["year", "2018"]], limit: 10 }, 100);
    expect(found.map(({ itemId }) => itemId)).toEqual(["item-000"]);
    expect(pages).toBe(6);
  });

  test("are found by an index, as far as they are needed and no further", async () => {
    const database = memoryDatabase();
    const plan = async (asked: Partial<AuctionQuery>) => {
      const plans = await plansOf(database, (watched) =>
        listAuctions(watched, { attributes: [], limit: 10, ...asked }),
      );
      // The page itself, and not what is done with the rows that it looked at.
      return plans.filter((step) => /\bauctions\b/.test(step));
    };
    const after = { key: 5, itemId: "x" };
    const whole = "SCAN auctions USING INDEX auctions_closed";
    expect(await plan({})).toEqual([whole]);
    const [behind, ...more] = await plan({ after });
    expect([behind, more]).toEqual([
      expect.stringMatching(/^SEARCH auctions USING INDEX auctions_closed \(.*<.*\)$/),
      [],
    ]);
    const [filtered, end] = await plan({ category: "cars", from: 3, after, attributes: [["year", "2018"]] });
    expect(filtered).toMatch(/^SEARCH auctions USING INDEX auctions_category \(category=\? AND .+\)$/);
    expect(end).toMatch(/^SEARCH auctions USING COVERING INDEX auctions_category \(category=\? AND .+\)$/);
  });
});

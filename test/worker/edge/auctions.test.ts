import { beforeAll, expect, test } from "vitest";
import { createAnalytics } from "../../../src/functions/analytics/analytics.ts";
import type { CompletedAuction } from "../../../src/functions/completed-event.ts";
import { completedAuction, completedRecord, invocationOf } from "../../support/completed-records.ts";
import { d1, database } from "../read-model/world.ts";
import { answered, call, clientSubject, type KeyName } from "./client.ts";

interface Page {
  readonly auctions: readonly CompletedAuction[];
  readonly next?: string;
}

const day = 86_400_000;
const start = Date.parse("2026-11-01T12:00:00.000Z");

/** Thirty cars and three lamps, one closing a day, of which every third car is unsold. */
beforeAll(async () => {
  const auctions = Array.from({ length: 33 }, (_, index) => {
    const isCar = index < 30;
    return completedAuction(`item-${String(index).padStart(2, "0")}`, {
      category: isCar ? "cars" : "lamps",
      sellerId: index % 2 === 0 ? clientSubject : "somebody",
      outcome: isCar && index % 3 === 0 ? "unsold" : "sold",
      reserve: 1_000,
      attributes: { year: 2010 + (index % 10) },
      closedAt: new Date(start + (index % 30) * day).toISOString(),
    });
  });
  const records = auctions.map((auction, index) => completedRecord(auction, index + 1));
  const { outcomes } = await createAnalytics(database)(invocationOf(records));
  expect(outcomes.every((outcome) => outcome?.status === "done")).toBe(true);
});

const list = (query: string, key: KeyName = "backend") =>
  answered<Page>(call(`/v1/auctions?${query}`, { key }), 200);
const idsOf = ({ auctions }: Page) => auctions.map(({ itemId }) => itemId);

test("finished auctions are listed, the last closed first, page by page", async () => {
  const seen: string[] = [];
  let cursor = "";
  do {
    const page = await list(`category=cars&limit=7${cursor}`);
    expect(page.auctions.length).toBeLessThanOrEqual(7);
    seen.push(...idsOf(page));
    cursor = page.next === undefined ? "" : `&cursor=${page.next}`;
  } while (cursor !== "");
  expect(seen).toEqual(
    Array.from({ length: 30 }, (_, index) => `item-${String(29 - index).padStart(2, "0")}`),
  );
});

test("they are filtered by status, category, attributes and time", async () => {
  expect(idsOf(await list("category=cars&attribute.year=2018"))).toEqual(["item-28", "item-18", "item-08"]);
  expect(idsOf(await list("category=cars&attribute.year=2018&status=unsold"))).toEqual(["item-18"]);
  expect(idsOf(await list("attribute.year=2018&attribute.colour=red"))).toEqual([]);
  const from = new Date(start + 3 * day).toISOString();
  const to = new Date(start + 5 * day).toISOString();
  expect(idsOf(await list(`from=${from}&to=${to}&category=cars`))).toEqual(["item-04", "item-03"]);
});

test("a reserve is shown to its seller and to back ends, and to nobody else", async () => {
  const reserves = async (key: KeyName) =>
    new Set((await list("limit=200", key)).auctions.map(({ sellerId, reserve }) => `${sellerId} ${reserve}`));
  expect(await reserves("backend")).toEqual(new Set([`${clientSubject} 1000`, "somebody 1000"]));
  expect(await reserves("client")).toEqual(new Set([`${clientSubject} 1000`, "somebody undefined"]));
});

test("totals are told per category, currency and day", async () => {
  const { totals, next } = await answered<{ totals: unknown[]; next?: string }>(
    call("/v1/auctions/totals?from=2026-11-03&to=2026-11-05&category=cars"),
    200,
  );
  const lamp = { bids: 4, withdrawn: 0, category: "cars", currency: "EUR" };
  expect(next).toBeUndefined();
  expect(totals).toEqual([
    { day: "2026-11-03", ...lamp, sold: 1, unsold: 0, grossValue: 1500, averagePrice: 1500 },
    { day: "2026-11-04", ...lamp, sold: 0, unsold: 1, grossValue: 0, averagePrice: null },
  ]);
  const first = await answered<{ totals: unknown[]; next: string }>(
    call("/v1/auctions/totals?limit=31"),
    200,
  );
  const rest = await answered<{ totals: unknown[] }>(
    call(`/v1/auctions/totals?limit=31&cursor=${first.next}`),
    200,
  );
  expect([first.totals.length, rest.totals.length]).toEqual([31, 2]);
});

test.each([
  "/v1/auctions?colour=red",
  "/v1/auctions?attributes=x",
  "/v1/auctions?category=cars&category=lamps",
  "/v1/auctions?attribute.a=1&attribute.a=2",
  "/v1/auctions?status=open",
  "/v1/auctions?limit=201",
  "/v1/auctions?from=yesterday",
  "/v1/auctions?cursor=x",
  `/v1/auctions?${Array.from({ length: 9 }, (_, index) => `attribute.a${index}=1`).join("&")}`,
  "/v1/auctions/totals?from=2026-02-30",
  "/v1/auctions/totals?currency=XXX",
  "/v1/auctions/totals?status=sold",
])("%s is 400", async (path) => {
  expect(await answered(call(path), 400)).toMatchObject({ code: "invalid-parameter" });
});

test("they need the scope read, and a path below them is none", async () => {
  expect((await call("/v1/auctions", { key: null })).status).toBe(401);
  const other = await call("/v1/auctions", { method: "POST", body: {} });
  expect(other.headers.get("allow")).toBe("GET, HEAD, OPTIONS");
  expect((await call("/v1/auctions/other")).status).toBe(404);
});

test("a database that does not do its work is 503 with Retry-After, and is asked again afterwards", async () => {
  await d1.exec("ALTER TABLE auctions RENAME TO gone");
  try {
    const response = await call("/v1/auctions");
    expect(response.headers.get("retry-after")).toBe("1");
    expect(await answered(response, 503)).toMatchObject({ code: "database-unavailable", retryable: true });
  } finally {
    await d1.exec("ALTER TABLE gone RENAME TO auctions");
  }
  expect((await list("limit=1")).auctions).toHaveLength(1);
});

test("attributes are found whatever their names and texts hold", async () => {
  const attributes = { 'quo"ted': "a\u0000b", "new\nline": true, größe: 0.1, "$.year": "%_'" };
  const auction = completedAuction("odd", { category: "odd", attributes });
  await createAnalytics(database)(invocationOf([completedRecord(auction, 1_000)]));
  const parameters = Object.entries(attributes).map(([name, value]): [string, string] => [
    `attribute.${name}`,
    String(value),
  ]);
  for (const given of [...parameters.map((one) => [one]), parameters]) {
    expect(idsOf(await list(String(new URLSearchParams(given))))).toEqual(["odd"]);
  }
  expect(idsOf(await list("category=odd&attribute.quo%22ted=a"))).toEqual([]);
});

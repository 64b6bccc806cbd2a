import { env } from "cloudflare:workers";
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";
import type { Meters } from "../../../durable-objects/meters.ts";
import { call, newBid, newItem, openItem } from "./client.ts";
import { scraped } from "./scrape.ts";

const { METERS: objects } = env as unknown as { readonly METERS: DurableObjectNamespace<Meters> };
const meters = () => objects.getByName("meters");

/** How much each figure grew by what was done. */
async function growth(act: () => Promise<unknown>): Promise<(name: string) => number> {
  const before = await scraped();
  await act();
  const after = await scraped();
  return (name) => (after.get(name) ?? 0) - (before.get(name) ?? 0);
}

const requests = (route: string, method: string, status: number): string =>
  `gavel_requests_total{route="${route}",method="${method}",status="${status}"}`;
const refusals = (code: string): string => `gavel_refusals_total{code="${code}"}`;

test("requests are counted by route, method and status, and refusals by their code", async () => {
  const grown = await growth(async () => {
    await call("/v1/items", { body: newItem() });
    await call("/v1/items", { body: newItem() });
    await call("/v1/items", { key: null, body: newItem() });
    await call("/v1/items", { key: "operator", body: newItem() });
    await call("/v1/items", { body: { ...newItem(), colour: "red" } });
    await call("/v1/items", { body: "{", headers: { "content-type": "application/json" } });
    await call("/v1/items", { method: "DELETE" });
    await call("/nowhere/else");
  });
  const counted = ["POST 202", "POST 401", "POST 403", "POST 422", "POST 400", "DELETE 405"].map((each) => {
    const [method = "", status] = each.split(" ");
    return grown(requests("/v1/items", method, Number(status)));
  });
  expect(counted).toEqual([2, 1, 1, 1, 1, 1]);
  expect(grown(requests("none", "GET", 404))).toBe(1);
  const codes = ["unauthenticated", "missing-scope", "unknown-field", "malformed-json", "method-not-allowed"];
  expect([...codes, "not-found"].map((code) => grown(refusals(code)))).toEqual([1, 1, 1, 1, 1, 1]);
});

test("events of a batch are counted as accepted or by why they were not, and each produce's latency once", async () => {
  const { itemId } = await openItem();
  const grown = await growth(() =>
    call("/v1/bids", {
      body: [
        newBid(itemId),
        newBid(itemId, { amount: 0 }),
        newBid(itemId, { currency: "XXY" }),
        newBid(itemId),
      ],
    }),
  );
  expect(grown('gavel_events_total{outcome="accepted"}')).toBe(2);
  expect(grown('gavel_events_total{outcome="rejected"}')).toBe(2);
  expect(grown('gavel_rejected_events_total{code="too-small"}')).toBe(1);
  expect(grown('gavel_rejected_events_total{code="unknown-currency"}')).toBe(1);
  expect(grown("gavel_produce_duration_seconds_count")).toBe(1);
  expect(grown('gavel_produce_duration_seconds_bucket{le="+Inf"}')).toBe(1);
});

test("nothing that a client sends becomes a label", async () => {
  const odd = "odd-4711";
  await call(`/v1/items/${odd}`);
  await call(`/v1/items/${odd}/bids?category=${odd}`, { headers: { "x-odd": odd } });
  await call("/v1/bids", { body: { [odd]: odd } });
  const names = [...(await scraped()).keys()].join("\n");
  expect(names).not.toContain(odd);
});

test("the figures survive the eviction of the object that adds them up", async () => {
  await call("/v1/items", { body: newItem() });
  const before = await scraped();
  await evictDurableObject(meters());
  const after = await scraped();
  const counters = [...before].filter(([name]) => name.startsWith("gavel_requests_total"));
  expect(counters.length).toBeGreaterThan(0);
  for (const [name, value] of counters) expect(after.get(name), name).toBeGreaterThanOrEqual(value);
});

test("what is counted comes to the object by itself, in one row however many requests there were", async () => {
  const { itemId } = await openItem();
  const accepted = async (): Promise<number> => (await meters().totals())["events|accepted"] ?? 0;
  await scraped();
  const before = await accepted();
  for (let count = 0; count < 20; count += 1) await call("/v1/bids", { body: newBid(itemId) });
  await expect.poll(accepted, { timeout: 12_000, interval: 500 }).toBe(before + 20);
  const rows = await runInDurableObject(meters(), (_, { storage }) =>
    storage.sql.exec<{ count: number }>("SELECT count(*) AS count FROM meters").one(),
  );
  expect(rows.count).toBe(1);
});

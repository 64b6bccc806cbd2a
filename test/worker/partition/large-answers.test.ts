import { runInDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";
import { append, listing, newId, objectOf, partitionOf } from "./world.ts";

const hour = 3_600_000;

test("a list of items with large terms comes in pages that a Worker can hold, and none is left out", async () => {
  const anchor = newId("large");
  const stub = objectOf(anchor);
  const category = newId("category");
  const count = 60;
  const items: string[] = [];
  while (items.length < count) {
    const itemId = newId("large");
    if (partitionOf(itemId) === partitionOf(anchor)) items.push(itemId);
  }
  const attributes = Object.fromEntries(
    Array.from({ length: 32 }, (_, index) => [`attribute-${index}`, "x".repeat(1_000)]),
  );
  const endsAt = Date.now() + hour;
  for (const itemId of items) {
    const record = listing(itemId, endsAt);
    const value = JSON.parse(record.value) as object;
    await append({ ...record, value: JSON.stringify({ ...value, category, attributes }) });
  }
  await stub.wake();
  const seen: string[] = [];
  let from: { readonly key: number; readonly itemId: string } | undefined;
  for (let pages = 0; pages < count; pages += 1) {
    const query = { sort: "ending" as const, limit: 200, category, ...(from === undefined ? {} : { from }) };
    const page = await stub.listItems(query);
    expect(JSON.stringify(page).length).toBeLessThan(1_200_000);
    seen.push(...page.entries.map(({ view }) => view.itemId));
    from = page.scannedTo;
    if (from === undefined) break;
  }
  expect(seen.toSorted()).toEqual(items.toSorted());
}, 60_000);

test("window statistics of very many categories are the newest ones, in bounded number", async () => {
  const stub = objectOf(newId("windows"));
  await stub.wake();
  const { journal, streamTime } = await stub.status();
  expect(journal.position).toBeGreaterThanOrEqual(0);
  const newest = streamTime - (streamTime % 10_000);
  const window = JSON.stringify({ bids: 1, highest: null, bidders: { exact: [1] }, items: [["lamp", 1]] });
  await runInDurableObject(stub, (_, { storage }) => {
    for (let index = 0; index < 100; index += 1) {
      for (let age = 0; age < 50; age += 1) {
        storage.sql.exec(
          "INSERT INTO windows VALUES (?, ?, 'EUR', ?) ON CONFLICT DO NOTHING",
          newest - age * 10_000,
          `many-${index}`,
          window,
        );
      }
    }
  });
  const windows = await stub.windowStats({ seconds: 10 });
  expect(windows.length).toBe(3_600);
  expect(Math.min(...windows.map(({ start }) => start))).toBeGreaterThanOrEqual(newest - 36 * 10_000);
  const one = await stub.windowStats({ seconds: 10, category: "many-7" });
  expect(one).toHaveLength(50);
});

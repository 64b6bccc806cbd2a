import { expect, test } from "vitest";
import type { ItemView } from "../../../durable-objects/rpc.ts";
import { answered, call, clientSubject, type Coordinates, newBid, newItem, openItem } from "./client.ts";

const at = ({ topic, partition, offset }: Coordinates) => `${topic}:${partition}:${offset}`;

test("an item read after a 202's coordinates shows that record's effect", async () => {
  const item = newItem();
  const listed = await answered<Coordinates>(call("/v1/items", { body: item }), 202);
  const view = await answered<ItemView>(call(`/v1/items/${item.itemId}?after=${at(listed)}`), 200);
  expect(view).toMatchObject({ itemId: item.itemId, status: "open", item, highest: null, bids: 0 });
  for (const amount of [1000, 1500, 1200]) {
    const told = await answered<Coordinates>(
      call("/v1/bids", { body: newBid(item.itemId, { amount }) }),
      202,
    );
    const after = await answered<ItemView>(call(`/v1/items/${item.itemId}?after=${at(told)}`), 200);
    expect(after.position).toBeGreaterThan(told.offset);
  }
  const last = await answered<ItemView>(call(`/v1/items/${item.itemId}`), 200);
  expect(last).toMatchObject({
    highest: { amount: 1500, bidderId: "ben" },
    bids: 2,
    rejected: 1,
    bidders: 1,
  });
});

test("a record that does not come is 503 after two seconds, to be asked again", async () => {
  const item = await openItem();
  const { partition } = await answered<ItemView>(call(`/v1/items/${item.itemId}`), 200);
  const started = Date.now();
  const response = await call(`/v1/items/${item.itemId}?after=auction.bids:${partition}:900000000`);
  expect(response.headers.get("retry-after")).toBe("1");
  expect(await answered(response, 503)).toMatchObject({ code: "not-yet-applied", retryable: true });
  expect(Date.now() - started).toBeGreaterThan(1_500);
  const elsewhere = call(`/v1/items/${item.itemId}?after=auction.bids:${(partition + 1) % 8}:0`);
  expect(await answered(elsewhere, 400)).toMatchObject({ code: "invalid-parameter" });
});

test("a reserve is shown to its seller and to back ends, and to nobody else", async () => {
  const mine = await openItem({ reserve: 5000, sellerId: clientSubject });
  const others = await openItem({ reserve: 5000 });
  const read = (itemId: string, key: "client" | "backend") =>
    answered<ItemView>(call(`/v1/items/${itemId}`, { key }), 200);
  expect((await read(mine.itemId, "client")).item.reserve).toBe(5000);
  expect((await read(others.itemId, "backend")).item.reserve).toBe(5000);
  const hidden = await read(others.itemId, "client");
  expect(hidden.item).not.toHaveProperty("reserve");
  expect(hidden.reserveMet).toBe(false);
  const { items } = await answered<{ items: ItemView[] }>(
    call("/v1/items?limit=200", { key: "client" }),
    200,
  );
  expect(items.filter(({ item }) => "reserve" in item && item.sellerId !== clientSubject)).toEqual([]);
});

test("an item's bids are told newest first, page by page", async () => {
  const { itemId } = await openItem();
  const body = Array.from({ length: 7 }, (_, index) =>
    newBid(itemId, { amount: 1000 + index, bidId: `bid-${index}` }),
  );
  const { results } = await answered<{ results: Coordinates[] }>(call("/v1/bids", { body }), 202);
  const last = results.at(-1);
  if (last === undefined) throw new Error("seven bids were taken");
  await answered(call(`/v1/items/${itemId}?after=${at(last)}`), 200);
  const seen: string[] = [];
  let next: number | undefined;
  do {
    const before: string = next === undefined ? "" : `&before=${next}`;
    const page = await answered<{ bids: { bidId: string }[]; next?: number }>(
      call(`/v1/items/${itemId}/bids?limit=3${before}`),
      200,
    );
    seen.push(...page.bids.map(({ bidId }) => bidId));
    next = page.next;
  } while (next !== undefined);
  expect(seen).toEqual([6, 5, 4, 3, 2, 1, 0].map((index) => `bid-${index}`));
});

test("open items of all partitions are paged in one order, once each", async () => {
  const category = `list-${Date.now()}`;
  const listed = await Promise.all(
    Array.from({ length: 23 }, (_, index) =>
      openItem({ category, endsAt: new Date(Date.now() + 3_600_000 + (index % 5) * 60_000).toISOString() }),
    ),
  );
  const everyPage = async (sort: string): Promise<ItemView[]> => {
    const seen: ItemView[] = [];
    let cursor: string | undefined;
    do {
      const from: string = cursor === undefined ? "" : `&cursor=${cursor}`;
      const page = await answered<{ items: ItemView[]; next?: string }>(
        call(`/v1/items?category=${category}&sort=${sort}&limit=4${from}`),
        200,
      );
      expect(page.items.length).toBeLessThanOrEqual(4);
      seen.push(...page.items);
      cursor = page.next;
    } while (cursor !== undefined);
    return seen;
  };
  for (const sort of ["ending", "newest"]) {
    const seen = await everyPage(sort);
    expect(seen.map(({ itemId }) => itemId).toSorted()).toEqual(
      listed.map(({ itemId }) => itemId).toSorted(),
    );
  }
  const ends = (await everyPage("ending")).map(({ item }) => item.endsAt);
  expect(ends).toEqual(ends.toSorted());
  const [first] = ends;
  const endsBefore = new Date(Date.parse(first ?? "") + 1).toISOString();
  const early = await answered<{ items: ItemView[] }>(
    call(`/v1/items?category=${category}&endsBefore=${endsBefore}`),
    200,
  );
  expect(early.items.length).toBe(ends.filter((end) => end < endsBefore).length);
});

test("categories, windows and cells count what was accepted", async () => {
  const category = `stats-${Date.now()}`;
  const cf = { country: "TR", city: "İzmir", latitude: "38.42", longitude: "27.14" };
  for (const amount of [1000, 2000]) {
    const { itemId } = await openItem({ category });
    for (const bidderId of ["ben", "cem"]) {
      const body = newBid(itemId, { bidderId, amount: bidderId === "ben" ? amount : amount + 5 });
      await answered(call("/v1/bids", { body, cf, headers: { prefer: "wait=10" } }), 200);
    }
    await answered(
      call(`/v1/items/${itemId}/withdraw`, { method: "POST", headers: { prefer: "wait=10" } }),
      200,
    );
  }
  await openItem({ category });

  const { categories } = await answered<{ categories: { category: string }[] }>(
    call("/v1/stats/categories"),
    200,
  );
  expect(categories.filter((entry) => entry.category === category)).toEqual([
    {
      category,
      currency: "EUR",
      scheduled: 0,
      open: 1,
      sold: 0,
      unsold: 0,
      withdrawn: 2,
      bids: 4,
      grossValue: 0,
      averagePrice: null,
    },
  ]);
  const stats = await answered<{ windows: { bids: number; bidders: number; highest: { amount: number } }[] }>(
    call(`/v1/stats/windows?seconds=3600&category=${category}`),
    200,
  );
  expect(stats.windows.reduce((bids, window) => bids + window.bids, 0)).toBe(4);
  expect(Math.max(...stats.windows.map(({ highest }) => highest.amount))).toBe(2005);
  expect(stats.windows.every(({ bidders }) => bidders === 2)).toBe(true);

  const { cells } = await answered<{ cells: { cell: string; country: string; bids: number }[] }>(
    call("/v1/stats/cells?resolution=2"),
    200,
  );
  expect(cells).toContainEqual(
    expect.objectContaining({ country: "TR", cell: expect.stringMatching(/^82/) as string }),
  );
});

test("health needs no credential; readiness says that the log and every object answer", async () => {
  expect(await answered(call("/healthz", { key: null }), 200)).toEqual({ status: "ok" });
  expect(await answered(call("/readyz", { key: null }), 200)).toEqual({
    status: "ready",
    checks: { log: "ok", partitions: "ok" },
  });
  expect((await call("/v1/items", { key: null })).status).toBe(401);
});

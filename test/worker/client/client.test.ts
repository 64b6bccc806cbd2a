import { exports } from "cloudflare:workers";
import { expect, test } from "vitest";
import { type ClientOptions, createClient } from "../../../client/client.ts";
import type { Fetch } from "../../../client/host.ts";
import { GavelProblem } from "../../../client/problem.ts";
import { clientSubject, headersOf, keys, newBid, newItem, readRecord } from "../edge/client.ts";

const worker = (exports as unknown as { default: { fetch: Fetch } }).default;
const gateway: Fetch = (url, init) => worker.fetch(url, init);

/** The client as an app in a Worker has it, with the gateway behind a service binding. */
function clientOf(credential: string = keys.backend, more: Partial<ClientOptions> = {}) {
  return createClient({ url: "https://gavel.test", credential, fetch: gateway, ...more });
}

/** A network that loses the first answers: what was asked takes effect, and nobody hears of it. */
function losing(count: number): Fetch {
  let left = count;
  return async (url, init) => {
    const answer = await gateway(url, init);
    left -= 1;
    if (left < 0) return answer;
    await answer.text();
    throw new TypeError("Network connection lost.");
  };
}

const client = clientOf();

async function all<Entry>(list: AsyncIterable<Entry>): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const entry of list) entries.push(entry);
  return entries;
}

/** An item that is open. */
async function open(): Promise<string> {
  const item = newItem();
  expect((await client.listItem(item, { waitSeconds: 10 })).outcome).toMatchObject({ status: "accepted" });
  return item.itemId;
}

test("an app lists an item, bids, is told the outcome, and reads its own write", async () => {
  const itemId = await open();
  const first = await client.placeBid(newBid(itemId, { amount: 1500 }), { waitSeconds: 10 });
  expect(first.outcome).toEqual({
    status: "accepted",
    highest: { amount: 1500, bidderId: "ben", bidId: first.id },
    bids: 1,
  });
  const low = await client.placeBid(newBid(itemId, { amount: 1200 }), { waitSeconds: 10 });
  expect(low.outcome).toMatchObject({ status: "rejected", reason: "too-low" });
  const unwaited = await client.placeBid(newBid(itemId, { amount: 1600 }));
  expect(unwaited.outcome).toBeUndefined();
  const item = await client.item(itemId, { after: unwaited });
  expect(item).toMatchObject({ status: "open", bids: 2, rejected: 1, highest: { bidId: unwaited.id } });
  await client.withdraw(itemId, { reason: "broken", waitSeconds: 10 });
  expect((await client.item(itemId)).status).toBe("withdrawn");
});

test("a bid whose answer got lost is applied once, and told as what it was", async () => {
  const itemId = await open();
  const lossy = clientOf(keys.backend, { fetch: losing(2), random: () => 0 });
  const placed = await lossy.placeBid(newBid(itemId, { amount: 1500 }), { waitSeconds: 10 });
  expect(placed.outcome).toMatchObject({ status: "accepted", duplicate: true, bids: 1 });
  expect(await client.item(itemId, { after: placed })).toMatchObject({ bids: 1, rejected: 0 });
});

test("a batch whose answer got lost is applied once, each bid of it", async () => {
  const itemIds = [await open(), await open(), await open()];
  const bids = Array.from({ length: 60 }, (_, index) =>
    newBid(itemIds[index % 3] ?? "", { amount: 1000 + index, bidderId: `bidder-${index % 2}` }),
  );
  const lossy = clientOf(keys.backend, { fetch: losing(1), random: () => 0 });
  const { accepted, results } = await lossy.placeBids(bids);
  expect(accepted).toBe(60);
  for (const [index, itemId] of itemIds.entries()) {
    const last = results[57 + index];
    if (last === undefined || "code" in last) throw new Error("the last bid was taken");
    expect(await client.item(itemId, { after: last })).toMatchObject({ bids: 20, rejected: 0 });
  }
});

test("a batch tells of each event what became of it", async () => {
  const itemId = await open();
  const { results } = await client.placeBids([newBid(itemId), newBid(itemId, { amount: -1 }), newBid("a b")]);
  const codes = results.map((result) => ("code" in result ? result.code : "taken"));
  expect(codes).toEqual(["taken", "too-small", "invalid-format"]);
  expect(results[1]).toMatchObject({ errors: [{ code: "too-small" }] });
});

test("a refusal is a problem with its code, its request's id and its faults", async () => {
  const error = await clientOf(keys.client)
    .placeBid({ itemId: "lamp", bidderId: clientSubject, amount: 0, currency: "XXQ" })
    .catch((reason: unknown) => reason);
  if (!(error instanceof GavelProblem)) throw error;
  expect(error).toMatchObject({
    status: 422,
    code: "invalid-event",
    retryable: false,
    isOutcomeUnknown: false,
    attempts: 1,
  });
  expect(error.errors.map(({ pointer }) => pointer).toSorted()).toEqual(["/amount", "/currency"]);
  expect(error.requestId).toMatch(/^[0-9a-f-]{36}$/);
  const other = await clientOf(keys.client)
    .placeBid(newBid("lamp"))
    .catch((reason: unknown) => reason);
  expect(other).toMatchObject({ status: 403, code: "forbidden-subject" });
  expect(
    await clientOf("no key")
      .item("lamp")
      .catch((reason: unknown) => reason),
  ).toMatchObject({ code: "unauthenticated" });
  expect(await client.item("no-such-lamp").catch((reason: unknown) => reason)).toMatchObject({
    code: "unknown-item",
  });
});

test("lists are read to their end, whatever their pages are", async () => {
  const category = `client-${Date.now()}`;
  const items = Array.from({ length: 12 }, () => newItem({ category }));
  const { results } = await client.listItems(items);
  for (const result of results) {
    if ("code" in result) throw new Error(result.detail);
    await client.item(items[result.index]?.itemId ?? "", { after: result });
  }
  const listed = await all(client.items({ category, limit: 5 }));
  expect(listed.map(({ itemId }) => itemId).toSorted()).toEqual(items.map(({ itemId }) => itemId).toSorted());

  const bidderId = `bidder-${Date.now()}`;
  for (const { itemId } of items.slice(0, 3)) {
    for (const amount of [1000, 2000])
      await client.placeBid(newBid(itemId, { bidderId, amount }), { waitSeconds: 10 });
  }
  const winning = await all(client.bidderBids(bidderId, { status: "winning", limit: 1 }));
  expect(winning.map(({ amount }) => amount)).toEqual([2000, 2000, 2000]);
  const own = await all(client.bids(items[0]?.itemId ?? "", { limit: 1 }));
  expect(own.map(({ amount }) => amount)).toEqual([2000, 1000]);
  const { categories } = await client.categories();
  expect(categories).toContainEqual(expect.objectContaining({ category, open: 12, bids: 6 }));
  expect((await client.windows({ category, seconds: 3600 })).windows[0]).toMatchObject({ category });
  expect(Array.isArray((await client.cells({ resolution: 1 })).cells)).toBe(true);
  expect(await all(client.auctions({ category, status: "sold" }))).toEqual([]);
});

test("a trace that the app is in goes on in the record", async () => {
  const itemId = await open();
  const trace = "0af7651916cd43dd8448eb211c80319c";
  const options = { traceparent: `00-${trace}-b7ad6b7169203331-01`, tracestate: "app=1" };
  const placed = await client.placeBid(newBid(itemId), options);
  const { ce_traceparent, ce_tracestate } = headersOf(await readRecord(placed));
  expect(ce_traceparent).toMatch(new RegExp(`^00-${trace}-[0-9a-f]{16}-01$`));
  expect(ce_tracestate).toBe("app=1");
});

import { expect, test } from "vitest";
import type { BidderBidView } from "../../../durable-objects/rpc.ts";
import { answered, call, type Call, clientSubject, newBid, openItem } from "./client.ts";

interface Page {
  readonly bids: readonly BidderBidView[];
  readonly next?: string;
}

let made = 0;

/** A bidder that no other test has. */
function newBidder(): string {
  made += 1;
  return `bidder-${Date.now()}-${made}`;
}

async function bid(
  itemId: string,
  bidderId: string,
  amount: number,
  key: Call["key"] = "backend",
): Promise<void> {
  const body = newBid(itemId, { bidderId, amount });
  await answered(call("/v1/bids", { key, body, headers: { prefer: "wait=10" } }), 200);
}

/** Every page of a bidder's bids, as a client that follows `next` sees them. */
async function everyPage(
  bidderId: string,
  query = "limit=50",
  key: Call["key"] = "backend",
): Promise<BidderBidView[]> {
  const seen: BidderBidView[] = [];
  let cursor = "";
  do {
    const page: Page = await answered<Page>(
      call(`/v1/bidders/${bidderId}/bids?${query}${cursor}`, { key }),
      200,
    );
    seen.push(...page.bids);
    cursor = page.next === undefined ? "" : `&cursor=${page.next}`;
  } while (cursor !== "");
  return seen;
}

const inShort = ({ itemId, amount, status }: BidderBidView) => ({ itemId, amount, status });

test("a bidder's bids on items of all partitions are paged newest first, once each", async () => {
  const bidderId = newBidder();
  const expected: object[] = [];
  for (let count = 0; count < 23; count += 1) {
    const { itemId } = await openItem();
    await bid(itemId, bidderId, 1000 + count);
    expected.unshift({ itemId, amount: 1000 + count, status: "winning" });
  }
  const seen = await everyPage(bidderId, "limit=4");
  expect(seen.map(inShort)).toEqual(expected);
  expect(new Set(seen.map(({ partition }) => partition)).size).toBeGreaterThan(2);
  const first = await answered<Page>(call(`/v1/bidders/${bidderId}/bids?limit=4`), 200);
  expect(first.bids).toHaveLength(4);
  expect(await everyPage(newBidder())).toEqual([]);
});

test("a status tells what has become of a bid, and selects those of which it has", async () => {
  const [ann, ben] = [newBidder(), newBidder()];
  const [open, withdrawn] = [await openItem(), await openItem()];
  const sold = await openItem({ endsAt: new Date(Date.now() + 2_500).toISOString() });
  for (const { itemId } of [open, sold, withdrawn]) {
    await bid(itemId, ann, 1000);
    await bid(itemId, ben, 2000);
  }
  await bid(open.itemId, ann, 1500);
  const withdrawal = { method: "POST", headers: { prefer: "wait=10" } };
  await answered(call(`/v1/items/${withdrawn.itemId}/withdraw`, withdrawal), 200);
  const end = Date.now() + 20_000;
  for (;;) {
    const { status } = await answered<{ status: string }>(call(`/v1/items/${sold.itemId}`), 200);
    if (status === "sold") break;
    if (Date.now() > end) throw new Error(`the item is still ${status}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect((await everyPage(ann)).map(inShort)).toEqual([
    { itemId: open.itemId, amount: 1500, status: "rejected" },
    { itemId: withdrawn.itemId, amount: 1000, status: "lost" },
    { itemId: sold.itemId, amount: 1000, status: "lost" },
    { itemId: open.itemId, amount: 1000, status: "outbid" },
  ]);
  const itemsOf = async (bidderId: string, status: string) => {
    return (await everyPage(bidderId, `status=${status}&limit=1`)).map(({ itemId }) => itemId);
  };
  expect(await itemsOf(ben, "winning")).toEqual([open.itemId]);
  expect(await itemsOf(ben, "won")).toEqual([sold.itemId]);
  expect(await itemsOf(ben, "lost")).toEqual([withdrawn.itemId]);
  expect(await itemsOf(ann, "outbid")).toEqual([open.itemId]);
  expect(await itemsOf(ann, "winning")).toEqual([]);
});

test("a bound credential sees its own bids and nobody else's; an unbound one any", async () => {
  const { itemId } = await openItem();
  await bid(itemId, clientSubject, 1000, "client");
  const own = await everyPage(clientSubject, "limit=50", "client");
  expect(own).toContainEqual(expect.objectContaining({ itemId, status: "winning", currency: "EUR" }));
  expect(await everyPage(clientSubject)).toEqual(own);
  const others = call("/v1/bidders/somebody-else/bids", { key: "client" });
  expect(await answered(others, 403)).toMatchObject({ code: "forbidden-subject" });
  expect((await call(`/v1/bidders/${clientSubject}/bids`, { key: null })).status).toBe(401);
});

test.each([
  ["/v1/bidders/a%20b/bids", "bidderId"],
  ["/v1/bidders/ann/bids?status=rejected", "status"],
  ["/v1/bidders/ann/bids?limit=0", "limit"],
  ["/v1/bidders/ann/bids?limit=201", "limit"],
  ["/v1/bidders/ann/bids?cursor=0", "cursor"],
  ["/v1/bidders/ann/bids?cursor=8.1", "cursor"],
])("%s is refused for its %s", async (path, parameter) => {
  const problem = await answered<{ code: string; detail: string }>(call(path), 400);
  expect(problem.code).toBe("invalid-parameter");
  expect(problem.detail).toContain(parameter);
});

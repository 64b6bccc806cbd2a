import { expect, test } from "vitest";
import { createClient } from "../../../client/client.ts";
import { ScriptedHost, type Step } from "./scripted.ts";

const taken = { id: "one", source: "/s", topic: "auction.bids", partition: 3, offset: 7, timestamp: "t" };

function clientOf(script: readonly Step[] | ConstructorParameters<typeof ScriptedHost>[0]) {
  const scripted = new ScriptedHost(script);
  return {
    scripted,
    client: createClient({ url: "https://gavel.test", credential: "key", ...scripted.host() }),
  };
}

const bid = { itemId: "lamp-1", bidderId: "lin", amount: 1100, currency: "EUR" };
const trace = { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", tracestate: "a=b" };

test("a write has its body, its id, what it waits for and its trace in one request", async () => {
  const { client, scripted } = clientOf([
    { status: 200, body: { ...taken, outcome: { status: "accepted" } } },
  ]);
  const options = { waitSeconds: 5, idempotencyKey: "mine", ...trace };
  expect((await client.placeBid(bid, options)).outcome).toEqual({ status: "accepted" });
  const [request] = scripted.requests;
  expect(request?.url).toBe("https://gavel.test/v1/bids");
  expect(JSON.parse(request?.body ?? "")).toEqual(bid);
  expect(request?.headers).toEqual({
    accept: "application/json",
    "content-type": "application/json",
    authorization: "Bearer key",
    "idempotency-key": "mine",
    prefer: "wait=5",
    ...trace,
  });
});

test("ids are encoded in paths, and parameters in queries", async () => {
  const { client, scripted } = clientOf([{ status: 200, body: {} }]);
  await client.item("a~b:c", { after: { topic: "auction.bids", partition: 1, offset: 2 } });
  await client.withdraw("a/b?c");
  await client.windows({ seconds: 60, category: "lamps" });
  await client
    .auctions({ attributes: { "colour & size": "red=1" }, status: "sold" })
    .pages()
    .next();
  expect(
    scripted.requests.map(({ url, method }) => `${method} ${url.replace("https://gavel.test", "")}`),
  ).toEqual([
    "GET /v1/items/a~b%3Ac?after=auction.bids%3A1%3A2",
    "POST /v1/items/a%2Fb%3Fc/withdraw",
    "GET /v1/stats/windows?seconds=60&category=lamps",
    "GET /v1/auctions?status=sold&attribute.colour%20%26%20size=red%3D1",
  ]);
});

test("a list is read page after page, as far as it is asked for, and from any page on", async () => {
  const pages: Record<string, object> = {
    "": { items: [{ itemId: "a" }, { itemId: "b" }], next: "second" },
    second: { items: [], next: "third" },
    third: { items: [{ itemId: "c" }] },
  };
  const { client, scripted } = clientOf(({ url }) => {
    const cursor = new URL(url).searchParams.get("cursor") ?? "";
    return { status: 200, body: pages[cursor] };
  });
  const list = client.items({ limit: 2, sort: "newest" });
  const ids = async (from: AsyncIterable<{ itemId: string }>) => {
    const seen: string[] = [];
    for await (const { itemId } of from) seen.push(itemId);
    return seen;
  };
  expect(await ids(list)).toEqual(["a", "b", "c"]);
  expect(scripted.requests).toHaveLength(3);
  for await (const _ of list) break;
  expect(scripted.requests).toHaveLength(4);
  expect(await ids(client.items({ cursor: "third" }))).toEqual(["c"]);
  expect(scripted.requests.at(-1)?.url).toBe("https://gavel.test/v1/items?cursor=third");
});

test("an item's bids are paged by offset", async () => {
  const { client, scripted } = clientOf([
    { status: 200, body: { bids: [{ offset: 9 }], next: 9 } },
    { status: 200, body: { bids: [{ offset: 4 }] } },
  ]);
  const offsets: number[] = [];
  for await (const { offset } of client.bids("lamp-1", { limit: 1 })) offsets.push(offset);
  expect(offsets).toEqual([9, 4]);
  expect(scripted.requests[1]?.url).toBe("https://gavel.test/v1/items/lamp-1/bids?limit=1&before=9");
});

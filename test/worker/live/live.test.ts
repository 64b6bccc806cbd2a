import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import type { Feed } from "../../../durable-objects/feed.ts";
import type { Partition } from "../../../durable-objects/partition.ts";
import type { ItemView } from "../../../durable-objects/rpc.ts";
import { answered, call, newBid, newItem, openItem } from "../edge/client.ts";
import { scraped } from "../edge/scrape.ts";
import { eventually, objectOf, partitionOf } from "../partition/world.ts";
import { askLive, Follower } from "./follower.ts";

const { FEEDS } = env as unknown as { FEEDS: DurableObjectNamespace<Feed> };
const feeds = Array.from({ length: 8 }, (_, number) => FEEDS.getByName(`feed/${number}`));

async function bid(itemId: string, amount: number, bidderId = "ben"): Promise<void> {
  const body = newBid(itemId, { amount, bidderId });
  await answered(call("/v1/bids", { body, headers: { prefer: "wait=10" } }), 200);
}

/** Runs each feed's alarm that is set; answers which were. */
function lookOnce(): Promise<boolean[]> {
  return Promise.all(feeds.map((feed) => runDurableObjectAlarm(feed)));
}

/** Puts every feed out of memory, as the platform does when nothing happens; answers how many were in it. */
async function evictFeeds(): Promise<number> {
  const evicted = await Promise.allSettled(feeds.map((feed) => evictDurableObject(feed)));
  return evicted.filter(({ status }) => status === "fulfilled").length;
}

/** Items of which no two are in one partition. */
async function openItemsApart(count: number): Promise<string[]> {
  const found = new Map<number, string>();
  while (found.size < count) {
    const item = newItem();
    const partition = partitionOf(item.itemId);
    if (found.has(partition)) continue;
    found.set(partition, (await openItem(item)).itemId);
  }
  return [...found.values()];
}

test("a connection is told every item at once, also those that are not known", async () => {
  const { itemId } = await openItem();
  await bid(itemId, 1500);
  const follower = await Follower.connect([itemId, "no-such-item"]);
  await eventually(async () => follower.messages.length > 0);
  const read = await answered<ItemView>(call(`/v1/items/${itemId}`), 200);
  const { item: _, position: _position, asOf: _asOf, ...told } = read;
  expect(follower.messages).toHaveLength(1);
  expect(follower.messages[0]).toMatchObject({ type: "items", number: 1 });
  expect(follower.state(itemId)).toMatchObject({ ...told, sequence: 3 });
  expect(follower.state("no-such-item")).toMatchObject({ sequence: 0, status: "unknown" });
  follower.close();
});

test("nobody is told a reserve or terms", async () => {
  const { itemId } = await openItem({ reserve: 987_654 });
  const follower = await Follower.connect([itemId]);
  await eventually(async () => follower.messages.length > 0);
  expect(JSON.stringify(follower.messages)).not.toMatch(/987654|A lamp|seller/);
  follower.close();
});

test("a bid, a rejection and a closing are told to everybody who follows, each with a higher sequence", async () => {
  const endsAt = new Date(Date.now() + 3_000).toISOString();
  const { itemId } = await openItem({ endsAt });
  const followers = await Promise.all([1, 2, 3].map(() => Follower.connect([itemId])));
  await bid(itemId, 1500);
  await bid(itemId, 1400, "lin");
  for (const follower of followers) {
    await eventually(async () => follower.state(itemId)?.status === "sold", 20_000);
    const sequences = follower.messages.flatMap(({ items }) => items.map(({ sequence }) => sequence));
    expect(sequences).toEqual([...new Set(sequences)].sort((left, right) => left - right));
    expect(follower.state(itemId)).toMatchObject({
      highest: { amount: 1500, bidderId: "ben" },
      bids: 1,
      rejected: 1,
      outcome: { outcome: "sold", price: 1500 },
      sequence: 5,
    });
    follower.close();
  }
});

test("one connection is told of items in several partitions", async () => {
  const itemIds = await openItemsApart(5);
  const follower = await Follower.connect(itemIds);
  await eventually(async () => follower.states.size === 5);
  await Promise.all(itemIds.map((itemId, index) => bid(itemId, 2000 + index)));
  await eventually(async () => itemIds.every((itemId, index) => follower.amount(itemId) === 2000 + index));
  expect(new Set([...follower.states.values()].map(({ partition }) => partition)).size).toBe(5);
  follower.close();
});

test("an item that is not known yet is told once it is listed", async () => {
  const item = newItem();
  const follower = await Follower.connect([item.itemId]);
  await eventually(async () => follower.state(item.itemId)?.status === "unknown");
  await openItem(item);
  await eventually(async () => follower.state(item.itemId)?.status === "open");
  expect(follower.state(item.itemId)?.sequence).toBe(2);
  follower.close();
});

test("whoever comes back with the last id is told what has changed meanwhile, and nothing else", async () => {
  const [first = "", second = "", third = ""] = await openItemsApart(3);
  const before = await Follower.connect([first, second, third]);
  await eventually(async () => before.states.size === 3);
  before.close();
  await bid(second, 1700);
  await bid(third, 1800);
  const after = await Follower.connect([third, first, second], { after: before.last });
  await eventually(async () => after.states.size === 2);
  expect(after.messages).toHaveLength(1);
  expect([after.amount(second), after.amount(third)]).toEqual([1700, 1800]);
  after.close();
  // And where nothing has, nothing is told until something does.
  const again = await Follower.connect([first, second, third], { after: after.last });
  await bid(first, 1600);
  await eventually(async () => again.amount(first) === 1600);
  expect(again.messages.map(({ items }) => items.map(({ itemId }) => itemId))).toEqual([[first]]);
  again.close();
});

test("an id of another set of items counts for nothing, and what is no id is 400", async () => {
  const { itemId } = await openItem();
  const other = await openItem();
  const follower = await Follower.connect([itemId]);
  await eventually(async () => follower.messages.length > 0);
  const both = await Follower.connect([itemId, other.itemId], { after: follower.last });
  await eventually(async () => both.states.size === 2);
  const refused = await askLive([itemId], { after: "no cursor!", headers: { upgrade: "websocket" } });
  expect(await answered(refused, 400)).toMatchObject({ code: "invalid-parameter" });
  follower.close();
  both.close();
});

test("a feed that hibernates keeps its connections, and what each of them has", async () => {
  const { itemId } = await openItem();
  const follower = await Follower.connect([itemId, "never-listed"]);
  await eventually(async () => follower.messages.length > 0);
  for (let round = 1; round <= 3; round += 1) {
    expect(await evictFeeds()).toBeGreaterThan(0);
    await bid(itemId, 1000 + 100 * round);
    await eventually(async () => follower.amount(itemId) === 1000 + 100 * round);
  }
  // What it had was not told again.
  expect(follower.messages.slice(1).flatMap(({ items }) => items.map((item) => item.itemId))).not.toContain(
    "never-listed",
  );
  expect(follower.closed).toBeUndefined();
  follower.close();
});

test("a partition that loses everything is followed again with the feed's next look, without going back", async () => {
  const { itemId } = await openItem();
  for (const amount of [1100, 1200, 1300]) await bid(itemId, amount);
  const follower = await Follower.connect([itemId]);
  await eventually(async () => follower.amount(itemId) === 1300);
  await objectOf(itemId).rebuild(false);
  await lookOnce();
  await bid(itemId, 1400);
  await lookOnce();
  await eventually(async () => follower.amount(itemId) === 1400);
  const sequences = follower.messages.flatMap(({ items }) => items.map(({ sequence }) => sequence));
  expect(sequences).toEqual([...new Set(sequences)].sort((left, right) => left - right));
  follower.close();
});

test("a partition that was evicted still knows who follows", async () => {
  const { itemId } = await openItem();
  const follower = await Follower.connect([itemId]);
  await eventually(async () => follower.messages.length > 0);
  await evictDurableObject(objectOf(itemId));
  await bid(itemId, 1900);
  await eventually(async () => follower.amount(itemId) === 1900);
  expect(follower.messages.at(-1)?.items).toHaveLength(1);
  follower.close();
});

test("rows are written when an item's first follower comes and when the last is gone, and at no bid", async () => {
  const { itemId } = await openItem();
  const object = objectOf(itemId);
  const rows = () =>
    runInDurableObject(
      object,
      (_: Partition, { storage }) =>
        storage.sql.exec(`SELECT feed FROM followers WHERE item_id = ?`, itemId).toArray().length,
    );
  expect(await rows()).toBe(0);
  const follower = await Follower.connect([itemId]);
  expect(await rows()).toBe(1);
  await bid(itemId, 1900);
  await eventually(async () => follower.amount(itemId) === 1900);
  follower.close();
  // The feed's alarm says what it still follows: nothing. Then it is not set again.
  await eventually(async () => {
    await lookOnce();
    return (await rows()) === 0;
  });
  await eventually(async () => !(await lookOnce()).includes(true));
});

test("the figures tell how many clients follow how many items, while they do", async () => {
  const sumOf = async (name: string): Promise<number> =>
    [...(await scraped())]
      .filter(([sample]) => sample.startsWith(`gavel_feed_${name}{`))
      .reduce((sum, [, value]) => sum + value, 0);
  const before = { connections: await sumOf("connections"), items: await sumOf("items") };
  const [one = "", other = ""] = await openItemsApart(2);
  const followers = [await Follower.connect([one, other]), await Follower.connect([one, other])];
  expect(await sumOf("up")).toBe(8);
  expect(await sumOf("connections")).toBe(before.connections + 2);
  expect(await sumOf("items")).toBeGreaterThanOrEqual(before.items + 2);
  for (const follower of followers) follower.close();
  await eventually(async () => (await sumOf("connections")) === before.connections);
  expect(await sumOf("items")).toBe(before.items);
});

import { expect, test } from "vitest";
import { type Client, type FeedObject, feedSettings, smallWorld } from "./world.ts";

test("a hundred who come at once for the same item cost one call of its partition", async () => {
  const { partition, feed } = smallWorld();
  const clients = await Promise.all(Array.from({ length: 100 }, () => feed.connect(["item-0"])));
  expect(partition.follows).toHaveLength(1);
  expect(clients.every((client) => client.messages.length === 1)).toBe(true);
});

test("at most 8 messages are on their way; an item waits as itself and comes as it is by then, in one message", async () => {
  const { clock, partition, feed } = smallWorld();
  partition.change("item-0", "item-1");
  const client = await feed.connect(["item-0", "item-1"]);
  for (let time = 0; time < 30; time += 1) {
    partition.change("item-0", "item-1");
    await clock.advance(100);
  }
  expect(client.messages).toHaveLength(8);
  feed.acknowledge(client, 1);
  expect(client.messages).toHaveLength(9);
  expect(client.messages.at(-1)?.items.map(({ sequence }) => sequence)).toEqual([32, 32]);
  feed.acknowledge(client);
  expect(client.messages).toHaveLength(9);
});

test("who acknowledges nothing for the time set is cut off and told why; who owes nothing is not", async () => {
  const { clock, partition, feed } = smallWorld();
  const idle = await feed.connect(["item-1"]);
  feed.acknowledge(idle);
  const slow = await feed.connect(["item-0"]);
  const steady = await feed.connect(["item-0"]);
  for (let second = 0; second < 60; second += 1) {
    partition.change("item-0");
    await clock.advance(1_000);
    if (second % 4 === 0) feed.acknowledge(steady);
  }
  expect([idle.closed, slow.closed, steady.closed]).toEqual([undefined, 4008, undefined]);
  expect(slow.messages).toHaveLength(8);
  expect(steady.sequences("item-0").at(-1)).toBe(61);
  expect(feed.logged).toContainEqual({
    event: "live.ended",
    fields: expect.objectContaining({ code: 4008, credential: "ada" }) as unknown,
  });
});

test("once everybody has acknowledged, nothing keeps the feed in memory, and its place is with each socket", async () => {
  const { clock, partition, feed } = smallWorld();
  const client = await feed.connect(["item-0"]);
  partition.change("item-0");
  await clock.advance(0);
  expect(clock.timers).toBeGreaterThan(0);
  feed.acknowledge(client);
  await clock.advance(feedSettings.acknowledgeMs);
  expect(clock.timers).toBe(0);
  expect(client.attachment).toMatchObject({ sent: 2, acknowledged: 2, isBehind: false });
});

test("a feed that was out of memory tells what it had not told, and nothing twice", async () => {
  const { clock, partition, feed } = smallWorld();
  const behind = await feed.connect(["item-0"]);
  const level = await feed.connect(["item-0", "item-1"]);
  for (let time = 0; time < 20; time += 1) {
    partition.change("item-0");
    await clock.advance(100);
    feed.acknowledge(level);
  }
  await clock.advance(1_500);
  const told = level.messages.length;
  await feed.evict();
  await clock.advance(0);
  expect(level.messages).toHaveLength(told);
  feed.acknowledge(behind);
  await clock.advance(0);
  expect(behind.state("item-0")?.sequence).toBe(21);
});

test("a lost push costs no longer than the feed's next look, also out of memory", async () => {
  const { clock, partition, feed, lost } = smallWorld();
  partition.change("item-0", "item-1");
  const client = await feed.connect(["item-0", "item-1"]);
  feed.acknowledge(client);
  await clock.advance(2_000);
  await feed.evict();
  lost.pushes = 1;
  partition.change("item-0");
  await feed.advance(feedSettings.repairMs - 1_000);
  expect(client.sequences("item-0")).toEqual([2, 3]);
  // And what it has already was not told again, nor fetched.
  expect(client.sequences("item-1")).toEqual([2]);
});

test("whoever saw more elsewhere is told nothing older, and the partition is asked", async () => {
  const { clock, partition, feed, other, lost } = smallWorld();
  partition.change("item-0");
  await other.connect(["item-0"]);
  const first = await feed.connect(["item-0"]);
  lost.pushes = 1;
  partition.change("item-0");
  await clock.advance(200);
  const [ahead, late] = [feed, other].map((at: FeedObject) => at);
  const seen = [first.state("item-0")?.sequence];
  const fresh = await (seen[0] === 3 ? ahead : late)?.connect(["item-0"]);
  const behind = seen[0] === 3 ? late : ahead;
  const came = await behind?.connect(["item-0"], fresh?.last);
  expect(came?.sequences("item-0")).toEqual([]);
  partition.change("item-0");
  await clock.advance(200);
  expect(came?.sequences("item-0")).toEqual([4]);
});

test("while a partition is rebuilt nobody is told what was; once it has read its log, what it says counts", async () => {
  const { clock, partition, feed } = smallWorld();
  for (let time = 0; time < 5; time += 1) partition.change("item-0");
  const client = await feed.connect(["item-0"]);
  feed.acknowledge(client);
  partition.behind = new Map([["item-0", 2]]);
  partition.followers.changed(["item-0"]);
  await feed.advance(feedSettings.repairMs);
  const again = await feed.connect(["item-0"], client.last);
  expect(partition.catchUps).toBeGreaterThan(0);
  expect([client.sequences("item-0"), again.sequences("item-0")]).toEqual([[6], []]);
  // The log was made anew, and this is all that it holds.
  partition.sequences.set("item-0", 3);
  partition.behind = undefined;
  await feed.advance(feedSettings.repairMs);
  await clock.advance(1_000);
  expect([client.sequences("item-0"), again.sequences("item-0")]).toEqual([[6, 3], [3]]);
});

test("whoever comes back with what a log made anew does not hold is told what it holds, at once", async () => {
  const { clock, partition, feed, other, lost } = smallWorld();
  for (let time = 0; time < 9; time += 1) partition.change("item-0");
  const before = await other.connect(["item-0"]);
  partition.sequences.set("item-0", 3);
  await feed.connect(["item-0"]);
  const client = await feed.connect(["item-0"], before.last);
  expect(client.sequences("item-0")).toEqual([3]);
  // What was settled is not settled for what comes then: it was seen elsewhere, and here its push was lost.
  partition.change("item-0");
  await clock.advance(200);
  other.leave(before);
  await other.advance(feedSettings.repairMs);
  lost.pushes = 1;
  partition.change("item-0");
  await clock.advance(200);
  const elsewhere = await other.connect(["item-0"]);
  expect(elsewhere.sequences("item-0")).toEqual([5]);
  const again = await feed.connect(["item-0"], elsewhere.last);
  expect(again.sequences("item-0")).toEqual([]);
});

test("who has more than a log made anew holds is told what it holds, also where a push of it came first", async () => {
  const { clock, partition, feed } = smallWorld();
  for (let time = 0; time < 9; time += 1) partition.change("item-0");
  const client = await feed.connect(["item-0"]);
  feed.acknowledge(client);
  await clock.advance(2_000);
  await feed.evict();
  partition.sequences.set("item-0", 3);
  partition.change("item-0");
  await clock.advance(200);
  expect(client.sequences("item-0")).toEqual([10]);
  await feed.advance(feedSettings.repairMs);
  expect(client.sequences("item-0")).toEqual([10, 4]);
});

test("a feed that comes back asks each partition once, however many of its clients were behind", async () => {
  const { clock, partition, feed } = smallWorld();
  const clients: Client[] = [];
  for (let number = 0; number < 50; number += 1) clients.push(await feed.connect(["item-0"]));
  for (let time = 0; time < 10; time += 1) {
    partition.change("item-0");
    await clock.advance(300);
  }
  const { length } = partition.follows;
  await feed.evict();
  await clock.advance(0);
  expect(partition.follows.length - length).toBe(1);
  for (const client of clients) feed.acknowledge(client);
  expect(clients.every((client) => client.state("item-0")?.sequence === 11)).toBe(true);
});

test("a session ends after its time, so that its credential is looked at again", async () => {
  const { feed } = smallWorld();
  const client = await feed.connect(["item-0"]);
  feed.acknowledge(client);
  await feed.advance(feedSettings.sessionMs * 0.94);
  expect(client.closed).toBeUndefined();
  await feed.advance(feedSettings.sessionMs * 0.06);
  expect(client.closed).toBe(4000);
});

test("a key that is revoked ends its connections with the feed's next look, and nobody else's", async () => {
  const { feed } = smallWorld();
  const connect = async (credential: string, isStoredKey: boolean): Promise<Client> => {
    const client = await feed.connect(["item-0"], undefined, { credential, isStoredKey });
    feed.acknowledge(client);
    return client;
  };
  const [of, token, other] = [await connect("k", true), await connect("k", false), await connect("m", true)];
  feed.revoked.add("k");
  feed.isDatabaseAway = true;
  await feed.advance(feedSettings.repairMs);
  expect(of.closed).toBeUndefined();
  feed.isDatabaseAway = false;
  await feed.advance(feedSettings.repairMs);
  expect([of.closed, token.closed, other.closed]).toEqual([4001, undefined, undefined]);
});

test("a feed takes so many connections and no more", async () => {
  const { feed } = smallWorld();
  const clients: Client[] = [];
  for (let number = 0; number < feedSettings.mostSockets; number += 1) {
    clients.push(await feed.connect(["item-0"]));
  }
  await expect(feed.connect(["item-0"])).rejects.toThrow("full");
  const [first] = clients;
  if (first !== undefined) feed.leave(first);
  expect((await feed.connect(["item-0"])).messages).toHaveLength(1);
});

test("a connection whose partition does not answer is refused, and leaves nothing behind", async () => {
  const { partition, feed, clock } = smallWorld();
  partition.isAway = true;
  await expect(feed.connect(["item-0"])).rejects.toThrow("away");
  partition.isAway = false;
  await feed.advance(feedSettings.repairMs);
  await clock.advance(0);
  expect(partition.rows).toEqual([]);
  expect(feed.alarmAt).toBeNull();
});

test("items of connections that were refused take no room for longer than until the feed's next look", async () => {
  const { partition, feed } = smallWorld();
  partition.isAway = true;
  for (let connection = 0; connection < 128; connection += 1) {
    const items = Array.from({ length: 64 }, (_, index) => `item-${connection * 64 + index}`);
    await expect(feed.connect(items)).rejects.toThrow("away");
  }
  await expect(feed.connect(["item-9999"])).rejects.toThrow("full");
  partition.isAway = false;
  await feed.advance(feedSettings.repairMs);
  expect((await feed.connect(["item-9999"])).messages).toHaveLength(1);
});

test("a partition that does not answer keeps a feed from no other", async () => {
  const { partitions, feed, clock } = smallWorld(2);
  const client = await feed.connect(["item-0", "item-1"]);
  feed.acknowledge(client);
  const [away, there] = partitions;
  if (away === undefined || there === undefined) throw new Error("no world");
  away.isAway = true;
  there.sequences.set("item-1", 9);
  await feed.advance(feedSettings.repairMs);
  expect(client.state("item-1")?.sequence).toBe(9);
  feed.acknowledge(client);
  away.sequences.set("item-0", 7);
  away.isAway = false;
  await feed.advance(feedSettings.repairMs);
  await clock.advance(0);
  expect(client.state("item-0")?.sequence).toBe(7);
});

test("tickets are good for a minute and once, and expired ones leave", async () => {
  const { feed, clock } = smallWorld();
  const { tickets } = feed.core;
  const issue = async (): Promise<string> => {
    const answer = await tickets.issue({ credential: "ada", isStoredKey: true });
    if (answer.kind !== "issued") throw new Error("full");
    feed.core.arm();
    return answer.ticket;
  };
  const [used, late] = [await issue(), await issue()];
  expect(used).toMatch(/^0\./);
  expect(await tickets.redeem(used)).toEqual({ credential: "ada", isStoredKey: true });
  expect(await tickets.redeem(used)).toBeNull();
  await clock.advance(60_000);
  expect(await tickets.redeem(late)).toBeNull();
  await issue();
  await feed.advance(120_000);
  expect(tickets.count()).toBe(0);
  expect(feed.alarmAt).toBeNull();
});

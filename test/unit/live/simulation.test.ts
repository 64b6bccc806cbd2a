import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeCursor, fingerprintOf } from "../../../src/live/cursor.ts";
import { advance, type Client, type FeedObject, feedSettings, liveWorld } from "./world.ts";

const items = Array.from({ length: 8 }, (_, number) => `item-${number}`);
const item = fc.constantFrom(...items);

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("change" as const), item }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 2_000 }) }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("acknowledge" as const), client: fc.nat(5) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("connect" as const),
      client: fc.nat(5),
      feed: fc.nat(1),
      items: fc.subarray(items, { minLength: 1 }),
      keepsItems: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("evict feed" as const), feed: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("evict partition" as const), partition: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("claim" as const), feed: fc.nat(1), item }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("lose a push" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("fail a push" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("leave" as const), client: fc.nat(5) }) },
);

/** Somebody who follows items, over one connection after the other. */
interface Person {
  client: Client;
  feed: FeedObject;
  items: readonly string[];
  /** The highest sequence that they were told of each item, over all connections to the same items. */
  readonly seen: Map<string, number>;
}

test("whatever is lost, slow, evicted or cut: nobody is told what is older than they have, and all end at the latest state", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 120 }), async (steps) => {
      const { clock, feeds, partitions, lost } = liveWorld({ feeds: 2, partitions: 3 });
      const people = new Map<number, Person>();
      const partitionOf = (itemId: string) => partitions[Number(itemId.split("-")[1]) % 3];
      const feedOf = (number: number): FeedObject => {
        const feed = feeds[number];
        if (feed === undefined) throw new Error("no feed");
        return feed;
      };
      const check = (): void => {
        for (const person of people.values()) {
          for (const { items: told } of person.client.messages.splice(0)) {
            for (const { itemId, sequence } of told) {
              const before = person.seen.get(itemId) ?? -1;
              if (sequence < before) throw new Error(`${itemId} went from ${before} back to ${sequence}`);
              person.seen.set(itemId, sequence);
            }
          }
        }
      };
      for (const next of steps) {
        if (next.do === "change") partitionOf(next.item)?.change(next.item);
        else if (next.do === "wait") await advance(clock, feeds, next.ms);
        else if (next.do === "evict feed") await feedOf(next.feed).evict();
        else if (next.do === "evict partition") partitions[next.partition]?.evict();
        else if (next.do === "claim") await claim(feedOf(next.feed), next.item);
        else if (next.do === "lose a push") lost.pushes += 1;
        else if (next.do === "fail a push") lost.fail += 1;
        else if (next.do === "connect") await connect(people, next.client, feedOf(next.feed), next);
        else {
          const person = people.get(next.client);
          if (person === undefined) continue;
          if (next.do === "acknowledge") person.feed.acknowledge(person.client);
          else person.feed.leave(person.client);
        }
        check();
      }
      lost.pushes = 0;
      lost.fail = 0;
      for (let round = 0; round < 4; round += 1) {
        for (const { client, feed } of people.values()) {
          if (client.closed === undefined) feed.acknowledge(client);
        }
        await advance(clock, feeds, feedSettings.repairMs / 3);
        check();
      }
      for (const { client, feed, items: followed, seen } of people.values()) {
        if (client.closed !== undefined || !feed.has(client)) continue;
        for (const itemId of followed) {
          expect([itemId, seen.get(itemId)]).toEqual([
            itemId,
            partitionOf(itemId)?.sequences.get(itemId) ?? 0,
          ]);
        }
      }
    }),
    { numRuns: 150 },
  );
});

/** Says that they have seen more than there is, and leaves. */
async function claim(feed: FeedObject, itemId: string): Promise<void> {
  const madeUp = encodeCursor(fingerprintOf([itemId]), ["zzzzzzAAAA"]);
  feed.leave(await feed.connect([itemId], madeUp));
}

/** Comes, or comes back: to the same items with where they were, or to others. */
async function connect(
  people: Map<number, Person>,
  number: number,
  feed: FeedObject,
  wish: { readonly items: readonly string[]; readonly keepsItems: boolean },
): Promise<void> {
  const known = people.get(number);
  known?.feed.leave(known.client);
  const isBack = known !== undefined && wish.keepsItems;
  const followed = isBack ? known.items : wish.items;
  const client = await feed.connect(followed, isBack ? known.client.last : undefined);
  people.set(number, {
    client,
    feed,
    items: followed,
    seen: isBack ? known.seen : new Map<string, number>(),
  });
}

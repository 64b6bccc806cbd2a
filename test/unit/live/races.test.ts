import { expect, test } from "vitest";
import { encodeCursor, fingerprintOf } from "../../../src/live/cursor.ts";
import { feedSettings, smallWorld } from "./world.ts";

test("whoever comes for an item that the feed has let go of is told at once what changed meanwhile, and from then on", async () => {
  const { clock, partition, feed } = smallWorld();
  partition.change("item-0");
  const gone = await feed.connect(["item-0"]);
  feed.leave(gone);
  partition.change("item-0");
  await clock.advance(200);
  expect(partition.rows).toEqual([]);
  const back = await feed.connect(["item-0"], gone.last);
  expect(back.sequences("item-0")).toEqual([3]);
  partition.change("item-0");
  await clock.advance(200);
  expect(back.sequences("item-0")).toEqual([3, 4]);
});

test("so is who comes for an item whose last client left while the feed looked at its partition", async () => {
  const { clock, partition, feed } = smallWorld();
  partition.change("item-0", "item-1");
  const gone = await feed.connect(["item-0"]);
  const { promise: busy, resolve: free } = Promise.withResolvers<void>();
  partition.busy = busy;
  const other = feed.connect(["item-1"]);
  await clock.advance(0);
  // The look waits for its turn with the partition.
  const look = feed.fire();
  feed.leave(gone);
  free();
  await Promise.all([other, look]);
  await clock.advance(0);
  expect(partition.rows).toEqual(["feed/0 item-1"]);
  partition.change("item-0");
  await clock.advance(200);
  const back = await feed.connect(["item-0"], gone.last);
  partition.change("item-0");
  await clock.advance(200);
  expect(back.sequences("item-0")).toEqual([3, 4]);
});

/** A cursor of somebody who claims to have seen more of an item than there is. */
const madeUp = (itemId: string): string => encodeCursor(fingerprintOf([itemId]), ["zzzzzzAAAA"]);

test("a push that overtakes a look does not pass for the answer to whoever came between", async () => {
  const { clock, partition, feed } = smallWorld();
  partition.change("item-0", "item-1");
  const gone = await feed.connect(["item-0"]);
  await feed.connect(["item-1"]);
  feed.leave(gone);
  const { promise: busy, resolve: free } = Promise.withResolvers<void>();
  partition.busy = busy;
  // It leaves the item out, and the partition has not come to it.
  await feed.fire();
  const coming = feed.connect(["item-0"], gone.last);
  partition.change("item-0");
  await clock.advance(0);
  free();
  const back = await coming;
  partition.change("item-0");
  await clock.advance(200);
  expect(back.sequences("item-0")).toEqual([3, 4]);
});

test("a push that was due when the one before was not wanted does not pass for the answer either", async () => {
  const { clock, partition, feed } = smallWorld();
  partition.change("item-0", "item-1");
  const gone = await feed.connect(["item-0"]);
  await feed.connect(["item-2"]);
  feed.leave(gone);
  const { promise: busy, resolve: free } = Promise.withResolvers<void>();
  partition.busy = busy;
  const other = feed.connect(["item-1"]);
  await clock.advance(0);
  partition.change("item-0");
  partition.change("item-0");
  await clock.advance(0);
  const coming = feed.connect(["item-0"], gone.last);
  await clock.advance(150);
  free();
  await other;
  const back = await coming;
  partition.change("item-0");
  await clock.advance(200);
  expect(back.sequences("item-0")).toEqual([4, 5]);
});

test("a partition that hangs refuses all who come for its items after 5 s, and keeps no look from the others", async () => {
  const { clock, partitions, feed, lost } = smallWorld(2);
  const [away, there] = partitions;
  const client = await feed.connect(["item-1"]);
  feed.acknowledge(client);
  if (away !== undefined) away.busy = new Promise(() => undefined);
  const refusedAfter: number[] = [];
  const begun = clock.time;
  for (let number = 0; number < 60; number += 1)
    feed.connect(["item-0"]).catch(() => refusedAfter.push(clock.time - begun));
  await clock.advance(0);
  await feed.fire();
  lost.pushes = 1;
  there?.change("item-1");
  await feed.advance(5_000);
  expect(refusedAfter).toEqual(Array.from({ length: 60 }, () => 5_000));
  await feed.advance(feedSettings.repairMs + 5_000);
  expect(client.sequences("item-1")).toEqual([0, 2]);
});

test("whoever claims to have seen more than there is keeps nobody waiting", async () => {
  const { clock, partition, feed } = smallWorld();
  const plain = partition.follow.bind(partition);
  // As a partition does that has more to read: it waits before it says that there is no more.
  partition.follow = async (query) => {
    if (query.items.some(({ seen = 0 }) => seen > 1)) await clock.sleep(2_000);
    return plain(query);
  };
  for (let number = 0; number < 30; number += 1) void feed.connect(["item-0"], madeUp("item-0"));
  await clock.advance(0);
  let came = false;
  void feed.connect(["item-1"]).then(() => (came = true));
  await clock.advance(0);
  expect(came).toBe(true);
});

test("whoever claims to have seen more than there is makes nobody else go back", async () => {
  const { clock, partition, feed, other } = smallWorld();
  partition.change("item-0", "item-1");
  await feed.connect(["item-1"]);
  await feed.connect(["item-0"]);
  const elsewhere = await other.connect(["item-0"]);
  await feed.connect(["item-0"], madeUp("item-0"));
  await clock.advance(1_000);
  // The feed's next push is due in a moment, the other one's is made.
  partition.change("item-1");
  await clock.advance(50);
  partition.change("item-0");
  await clock.advance(10);
  expect(elsewhere.sequences("item-0")).toEqual([2, 3]);
  const moved = await feed.connect(["item-0"], elsewhere.last);
  await clock.advance(1_000);
  expect(moved.sequences("item-0")).toEqual([]);
});

test("an answer that says that there is no more does not undo a push that overtook it", async () => {
  const { clock, partition, feed, lost } = smallWorld();
  partition.change("item-0");
  const client = await feed.connect(["item-0"]);
  const plain = partition.follow.bind(partition);
  const { promise: slow, resolve: free } = Promise.withResolvers<void>();
  partition.follow = async (query) => {
    const answer = await plain(query);
    await slow;
    return answer;
  };
  lost.pushes = 1;
  partition.change("item-0");
  await clock.advance(150);
  const claimed = feed.connect(["item-0"], madeUp("item-0"));
  await clock.advance(0);
  partition.change("item-0");
  await clock.advance(0);
  free();
  await claimed;
  expect(client.sequences("item-0")).toEqual([2, 4]);
});

test("a first connection that is refused late leaves nothing behind", async () => {
  const { clock, partition, feed } = smallWorld();
  const { promise: busy, resolve: free } = Promise.withResolvers<void>();
  partition.busy = busy;
  const coming = feed.connect(["item-0"]);
  const refused = expect(coming).rejects.toThrow("in time");
  await clock.advance(6_000);
  await refused;
  free();
  await clock.advance(0);
  expect(partition.rows).toEqual(["feed/0 item-0"]);
  await feed.advance(feedSettings.repairMs);
  expect(partition.rows).toEqual([]);
  expect(feed.alarmAt).toBeNull();
});

import { expect, test } from "vitest";
import type { DeliverAnswer } from "../../../durable-objects/feed/rpc.ts";
import { FollowedPartition, liveWorld, StepClock } from "./world.ts";

async function followedWorld() {
  const world = liveWorld({ feeds: 2, partitions: 1 });
  const [partition] = world.partitions;
  const [feed, other] = world.feeds;
  if (partition === undefined || feed === undefined || other === undefined) throw new Error("no world");
  return { ...world, partition, feed, other };
}

test("changes closer together than 100 ms are pushed as one, the first at once, each with the latest state", async () => {
  const { clock, partition, feed, pushes } = await followedWorld();
  partition.change("item-0", "item-1");
  await feed.connect(["item-0", "item-1"]);
  const begun = clock.time;
  for (let time = 0; time < 50; time += 1) {
    partition.change("item-0");
    if (time % 10 === 0) partition.change("item-1");
    await clock.advance(10);
  }
  await clock.advance(200);
  expect(pushes.map(({ at }) => at - begun)).toEqual([0, 100, 200, 300, 400, 500]);
  expect(pushes.at(-1)?.items.map(({ itemId, sequence }) => [itemId, sequence])).toEqual([
    ["item-0", 52],
    ["item-1", 7],
  ]);
  expect(pushes[1]?.items.map(({ itemId, sequence }) => [itemId, sequence])).toEqual([
    ["item-1", 3],
    ["item-0", 12],
  ]);
});

test("what nobody follows is not pushed, and a feed is told of its own items alone", async () => {
  const { clock, partition, feed, other, pushes } = await followedWorld();
  await feed.connect(["item-0"]);
  await other.connect(["item-1"]);
  partition.change("item-0", "item-1", "item-2");
  await clock.advance(500);
  const told = pushes.map(({ feed: name, items }) => [name, items.map(({ itemId }) => itemId)]);
  expect(told).toEqual([
    ["feed/0", ["item-0"]],
    ["feed/1", ["item-1"]],
  ]);
});

test("a push that fails is made again, later each time, with the state as it is by then; and not for ever", async () => {
  const { clock, partition, feed, pushes, lost } = await followedWorld();
  await feed.connect(["item-0"]);
  const begun = clock.time;
  lost.fail = 2;
  partition.change("item-0");
  await clock.advance(50);
  partition.change("item-0");
  await clock.advance(10_000);
  expect(pushes.map(({ at, items }) => [at - begun, items[0]?.sequence])).toEqual([[500, 3]]);
  lost.fail = Number.POSITIVE_INFINITY;
  partition.change("item-0");
  await clock.advance(60_000);
  expect(clock.timers).toBe(0);
});

test("a push that is never answered is made again after 5 s, with the state as it is by then", async () => {
  const { clock, partition, feed, pushes, lost } = await followedWorld();
  const client = await feed.connect(["item-0"]);
  const begun = clock.time;
  lost.hang = 1;
  partition.change("item-0");
  await clock.advance(50);
  partition.change("item-0");
  await clock.advance(6_000);
  expect(pushes.map(({ at, items }) => [at - begun, items[0]?.sequence])).toEqual([[5_000, 3]]);
  partition.change("item-0");
  await clock.advance(200);
  expect(client.sequences("item-0")).toEqual([0, 3, 4]);
});

test("rows follow the first and the last follower, and what a feed does not want is removed", async () => {
  const { clock, partition, feed } = await followedWorld();
  const first = await feed.connect(["item-0", "item-1"]);
  const second = await feed.connect(["item-0"]);
  expect(partition.rows).toEqual(["feed/0 item-0", "feed/0 item-1"]);
  feed.leave(first);
  expect(partition.rows).toEqual(["feed/0 item-0", "feed/0 item-1"]);
  partition.change("item-1");
  await clock.advance(0);
  expect(partition.rows).toEqual(["feed/0 item-0"]);
  feed.leave(second);
  await feed.advance(30_000);
  expect(partition.rows).toEqual([]);
  expect(feed.alarmAt).toBeNull();
});

test("a partition that was out of memory knows its followers", async () => {
  const { clock, partition, feed } = await followedWorld();
  const client = await feed.connect(["item-0"]);
  partition.evict();
  partition.change("item-0");
  await clock.advance(0);
  expect(client.state("item-0")?.sequence).toBe(2);
});

test("after its end a partition tells nobody anything", async () => {
  const { clock, partition, feed, pushes } = await followedWorld();
  await feed.connect(["item-0"]);
  partition.change("item-0");
  partition.change("item-0");
  partition.followers.stop();
  partition.change("item-0");
  await clock.advance(10_000);
  expect(pushes).toHaveLength(1);
});

test("what a feed did not want is followed all the same where it asked for it meanwhile", async () => {
  const answers: PromiseWithResolvers<DeliverAnswer>[] = [];
  const clock = new StepClock();
  const partition = new FollowedPartition({
    clock,
    deliver: () => {
      answers.push(Promise.withResolvers<DeliverAnswer>());
      return answers.at(-1)?.promise ?? Promise.reject(new Error("no answer"));
    },
  });
  await partition.follow({ feed: "feed/0", items: [{ itemId: "item-0" }], isAll: false });
  partition.change("item-0");
  await partition.follow({ feed: "feed/0", items: [{ itemId: "item-0" }], isAll: false });
  answers[0]?.resolve({ unwanted: ["item-0"] });
  await clock.advance(0);
  expect(partition.rows).toEqual(["feed/0 item-0"]);
  partition.change("item-0");
  await clock.advance(200);
  answers[1]?.resolve({ unwanted: ["item-0"] });
  await clock.advance(0);
  expect(partition.rows).toEqual([]);
});

import { expect, test } from "vitest";
import { topics } from "../../../src/topics.ts";
import { bid, pushOf, startsAt, World } from "./core-world.ts";

const endsAt = startsAt + 60_000;

/** A partition with one open item, whose closing time has just come. */
async function withDueItem(): Promise<World> {
  const world = new World();
  await world.core.start();
  await world.list("lamp", endsAt);
  world.clock.time = endsAt + 2_000;
  return world;
}

test("an idle partition's alarm closes what is due with one tick", async () => {
  const world = await withDueItem();
  world.storage.alarmAt = world.clock.time;
  expect(await world.deliverDueAlarms(10)).toBe(1);
  expect(world.log.topic(topics.completed)).toHaveLength(1);
});

test("while the log is away, something due makes the alarm try again later, not at once", async () => {
  const world = await withDueItem();
  world.log.isAway = true;
  world.storage.alarmAt = world.clock.time;
  expect(await world.deliverDueAlarms(50)).toBeLessThan(3);
  expect(world.storage.alarmAt).toBeGreaterThan(world.clock.time);

  const before = world.log.fetches + world.log.produces;
  for (let second = 0; second < 120; second += 1) {
    world.clock.time += 1_000;
    await world.deliverDueAlarms(50);
  }
  // From 1 s doubling to 30 s: some nine tries in two minutes, of a few requests each.
  expect(world.log.fetches + world.log.produces - before).toBeLessThan(60);

  world.log.isAway = false;
  world.clock.time += 30_000;
  await world.deliverDueAlarms(10);
  expect(world.log.topic(topics.completed)).toHaveLength(1);
});

test("while the outbox is full, something due does not keep the alarm firing", async () => {
  const world = await withDueItem();
  const { core, log, clock, storage } = world;
  // Each bid is refused: an output a record, until there is no room.
  log.refused = topics.notifications;
  clock.time = startsAt;
  for (let count = 0; count < 2_100; count += 1) {
    void core.push(pushOf("journal", [log.append(bid("lamp", "ann", 0, startsAt))]));
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect((await core.status()).journal.endOffset).toBeNull();
  clock.time = endsAt + 2_000;
  storage.alarmAt = clock.time;
  expect(await world.deliverDueAlarms(50)).toBeLessThan(3);
});

import { expect, test } from "vitest";
import { topics } from "../../../src/topics.ts";
import { bid, listing, pushOf, settled, startsAt, World } from "./core-world.ts";

/** A partition whose journal has more records whenever it is read, and which just came up. */
async function underLoad(): Promise<World> {
  const world = new World();
  await world.core.start();
  world.log.append(bid("lamp", "ann", 5, startsAt));
  world.log.steadily = (topic) =>
    topic === topics.journal ? bid("lamp", "ann", 5, world.clock.time) : undefined;
  return world;
}

test("an item opens also while its journal never stops growing", async () => {
  const world = await underLoad();
  const opened = world.core.push(
    pushOf("items", [world.log.append(listing("lamp", startsAt, startsAt + 60_000))]),
  );
  const isOpen = async () => (await world.core.readItem({ itemId: "lamp", waitMs: 0 })).kind === "item";
  for (let round = 0; round < 200 && !(await isOpen()); round += 1) await settled();
  expect(await isOpen()).toBe(true);
  world.log.steadily = undefined;
  await opened;
});

test("an alarm and a wake end after a while also where the log never ends, and an alarm goes on", async () => {
  const world = await underLoad();
  const { core, clock, storage, log } = world;
  for (const call of [() => core.alarm(), () => core.wake()]) {
    let isOver = false;
    const over = call().then(() => {
      isOver = true;
    });
    for (let round = 0; round < 20; round += 1) await settled();
    expect(isOver).toBe(false);
    for (let second = 0; second < 25; second += 1) await clock.advance(1_000);
    expect(isOver).toBe(true);
    await over;
    expect(storage.alarmAt).not.toBeNull();
  }
  log.steadily = undefined;
});

test("a push that finds no room is answered at once, and its records come from the log", async () => {
  const { core, log } = new World();
  await core.start();
  const offsets = log.offsets.bind(log);
  const answers = Promise.withResolvers<undefined>();
  // Nothing is applied before the log has told where its outputs end.
  log.offsets = (...question) => answers.promise.then(() => offsets(...question));
  const batch = () =>
    pushOf(
      "journal",
      Array.from({ length: 1_000 }, () => log.append(bid("lamp", "ann", 5, startsAt))),
    );
  const kept = Array.from({ length: 20 }, () => core.push(batch()));
  expect(await core.push(batch())).toEqual({ position: 0 });
  answers.resolve(undefined);
  await Promise.all(kept);
  await core.wake();
  expect((await core.status()).journal.position).toBe(21_000);
});

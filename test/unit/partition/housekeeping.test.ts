import { expect, test } from "vitest";
import { topics } from "../../../src/topics.ts";
import { bid, listing, pushOf, startsAt, World } from "./core-world.ts";

const dayMs = 24 * 60 * 60 * 1_000;

/** Memory of the items' cache, which only the object itself sees. */
function cachedItems(world: World): number {
  const { items } = (world.core as unknown as { journal: { store: { items: object } } }).journal.store;
  const { young, old } = (items as { cache: { young: Map<string, object>; old: Map<string, object> } }).cache;
  return young.size + old.size;
}

async function withItems(count: number): Promise<World> {
  const world = new World();
  await world.core.start();
  const records = Array.from({ length: count }, (_, number) => {
    return world.log.append(listing(`item-${number}`, startsAt, startsAt + 60_000));
  });
  for (let start = 0; start < count; start += 1_000)
    await world.core.push(pushOf("items", records.slice(start, start + 1_000)));
  return world;
}

test("reading many items of an idle partition takes no more memory than applying does", async () => {
  const count = 45_000;
  const world = await withItems(count);
  await world.restart();
  for (let number = 0; number < count; number += 1) {
    const answer = await world.core.readItem({ itemId: `item-${number}`, waitMs: 0 });
    if (answer.kind !== "item") throw new Error(`item-${number} is ${answer.kind}`);
  }
  expect(cachedItems(world)).toBeLessThanOrEqual(20_000);
  // Many steps, on a machine that may be busy: how long they take is nobody's question here.
}, 120_000);

test("items leave as fast as they come, however many a transaction brings", async () => {
  const world = await withItems(3_000);
  const { log, core, storage } = world;
  // All close, and are read for as long as they have to be.
  await core.push(pushOf("journal", [log.append(bid("nowhere", "ann", 1, startsAt + 70_000))]));
  await core.wake();
  const later = startsAt + 3 * dayMs;
  const more = Array.from({ length: 3_000 }, (_, number) => {
    return log.append(listing(`more-${number}`, later, later + dayMs));
  });
  for (let start = 0; start < more.length; start += 1_000)
    await core.push(pushOf("items", more.slice(start, start + 1_000)));
  const [rows] = storage.all<{ count: number }>("SELECT count(*) AS count FROM departures");
  expect(rows?.count).toBe(0);
  expect(log.topic(topics.completed)).toHaveLength(3_000);
});

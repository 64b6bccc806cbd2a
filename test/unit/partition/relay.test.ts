import { expect, test } from "vitest";
import { eventTypes, topics } from "../../../src/topics.ts";
import { listing, pushOf, startsAt, World } from "./core-world.ts";
import { NarrowLog } from "./narrow-log.ts";

async function withItems(log: NarrowLog): Promise<World> {
  const world = new World(log);
  await world.core.start();
  const items = ["lamp", "x".repeat(64), "vase"].map((itemId) => {
    return log.append(listing(itemId, startsAt, startsAt + 60_000));
  });
  await world.core.push(pushOf("items", items));
  return world;
}

const kindOf = async (world: World, itemId: string) =>
  (await world.core.readItem({ itemId, waitMs: 0 })).kind;

test("an opening that the log does not take is a dead letter, and the items behind it open", async () => {
  const log = new NarrowLog();
  log.maximumRecord = 420;
  const world = await withItems(log);
  expect(await kindOf(world, "lamp")).toBe("item");
  expect(await kindOf(world, "x".repeat(64))).toBe("unknown");
  expect(await kindOf(world, "vase")).toBe("item");
  expect((await world.core.status()).deadLettered).toBe(1);
});

test("openings that the log does not take together are sent in smaller requests", async () => {
  const log = new NarrowLog();
  log.maximumRequest = 1_000;
  const world = await withItems(log);
  for (const itemId of ["lamp", "x".repeat(64), "vase"]) expect(await kindOf(world, itemId)).toBe("item");
});

test("an opening that the log does not take in any form is tried again later, not without end", async () => {
  const log = new NarrowLog();
  log.maximumRecord = 10;
  const world = await withItems(log);
  expect((await world.core.status()).stalled).toContain("too large");
  expect(log.topic(topics.journal).filter(({ value }) => value.includes(eventTypes.itemOpened))).toEqual([]);
  expect(log.produces).toBeLessThan(5);
});

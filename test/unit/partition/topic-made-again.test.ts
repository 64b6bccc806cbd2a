import { expect, test } from "vitest";
import { topics } from "../../../src/topics.ts";
import { bid, listing, pushOf, startsAt, World } from "./core-world.ts";
import { TellingLog } from "./telling-log.ts";

const later = startsAt + 60_000;

async function withAnItem(): Promise<{ readonly world: World; readonly log: TellingLog }> {
  const log = new TellingLog();
  const world = new World(log);
  await world.core.start();
  await world.list("lamp", later);
  await world.bid("lamp", "ann", 5);
  return { world, log };
}

const bidsOf = async (world: World): Promise<unknown> => {
  const answer = await world.core.readItem({ itemId: "lamp", waitMs: 0 });
  return answer.kind === "item" ? answer.item.bids : answer.kind;
};

for (const topic of [topics.journal, topics.items]) {
  test(`${topic} made again stops the partition, although it has outgrown the position, and says both ids`, async () => {
    const { world, log } = await withAnItem();
    const old = log.idOf(topic);
    log.remake(topic, 400);
    log.append(
      topic === topics.journal ? bid("lamp", "ben", 50, startsAt) : listing("vase", startsAt, later),
    );
    const status = await world.core.wake();
    expect(status.stalled).toContain(`${topic} was deleted and made again`);
    expect(status.stalled).toContain(old);
    expect(status.stalled).toContain(log.idOf(topic));
    expect(await bidsOf(world)).toBe(1);
    expect(await world.core.readItem({ itemId: "vase", waitMs: 0 })).toEqual({ kind: "unknown" });

    // Nothing is applied, relayed, ticked or sent any more, also after a restart, and reads are answered.
    await world.restart();
    expect((await world.core.status()).stalled).toBe(status.stalled);
    const written = log.produces;
    world.clock.time = later + 600_000;
    for (let round = 0; round < 5; round += 1) {
      await world.core.alarm();
      await world.core.wake();
      world.clock.time += 60_000;
    }
    expect(log.produces).toBe(written);
    expect(await bidsOf(world)).toBe(1);
  });
}

test("a push of the new topic's records ends at once and changes nothing", async () => {
  const { world, log } = await withAnItem();
  log.remake(topics.journal, 2);
  const record = log.append(bid("lamp", "ben", 50, startsAt));
  const batch = { ...pushOf("journal", [record]), topicId: log.idOf(topics.journal) };
  expect(await world.core.push(batch)).toEqual({ position: 2 });
  expect(await world.core.push({ ...batch, waitMs: 5_000 })).toEqual({ position: 2 });
  expect((await world.core.status()).stalled).toContain("made again");
  expect(await bidsOf(world)).toBe(1);
});

test("a push that is left over from an older topic stops nothing: the log says which one it has", async () => {
  const { world, log } = await withAnItem();
  const record = log.append(bid("lamp", "ben", 50, startsAt));
  await world.core.push({ ...pushOf("journal", [record]), topicId: "an older one" });
  expect((await world.core.status()).stalled).toBeUndefined();
  // The log was asked, and has the record at that offset.
  expect(await bidsOf(world)).toBe(2);
});

test("a partition goes on by itself when the topic that it read is back", async () => {
  const { world, log } = await withAnItem();
  const [id, records] = [log.idOf(topics.journal), [...log.topic(topics.journal)]];
  log.remake(topics.journal);
  expect((await world.core.wake()).stalled).toContain("made again");
  log.restore(topics.journal, id, records);
  const record = log.append(bid("lamp", "ben", 50, startsAt));
  await world.core.wake();
  expect((await world.core.status()).stalled).toBeUndefined();
  await world.core.push(pushOf("journal", [record]));
  expect(await bidsOf(world)).toBe(2);
});

test("before anything was read one topic is as good as the other", async () => {
  const log = new TellingLog();
  const world = new World(log);
  await world.core.start();
  await world.core.wake();
  for (const topic of [topics.journal, topics.items]) log.remake(topic);
  const listed = log.append(listing("lamp", startsAt, later));
  await world.core.push({ ...pushOf("items", [listed]), topicId: log.idOf(topics.items) });
  await world.core.wake();
  expect((await world.core.status()).stalled).toBeUndefined();
  expect(await bidsOf(world)).toBe(0);
});

test("a server that tells no ids is believed as before: an end before the position stops", async () => {
  const { world, log } = await withAnItem();
  log.tellsNothing = true;
  log.remake(topics.journal);
  expect((await world.core.wake()).stalled).toContain("ends at 0, before the position 2");
});

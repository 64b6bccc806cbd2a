import { expect, test } from "vitest";
import { LogError } from "../../../src/kafka/port.ts";
import { topics } from "../../../src/topics.ts";
import { lookUpStretches } from "../../../src/replays/stretches.ts";
import { bid, startsAt } from "../partition/core-world.ts";
import { ReplayWorld } from "./replay-world.ts";

const hourly = { analysis: "event-rates" as const };

/** One partition with a bid a minute. */
function worldOf(records: number): ReplayWorld {
  const world = new ReplayWorld(1);
  for (let number = 0; number < records; number += 1)
    world.log.append(bid(`item-${number}`, "ada", 1, startsAt + number * 60_000));
  return world;
}

test("a slice ends with its time, and the next goes on where it was", async () => {
  const world = worldOf(1_300);
  const positions: number[] = [];
  for (let slices = 0; slices < 3; slices += 1) {
    const answer = await world.read(0, hourly);
    if (answer.kind === "read") positions.push(answer.progress.position);
  }
  expect(positions).toEqual([500, 1_000, 1_300]);
});

test("a stretch that ends within an answer of the log ends there", async () => {
  const answer = await worldOf(700).read(0, { ...hourly, from: 3, to: 57 });
  expect(answer).toMatchObject({ kind: "read", progress: { from: 3, to: 57, position: 57, records: 54 } });
});

test("what the log deleted before it was read is counted as lost, whether or not the log tells its start", async () => {
  for (const tells of [true, false]) {
    const world = worldOf(700);
    world.log.startsAt = 40;
    world.log.tells = tells;
    const answer = await world.read(0, hourly);
    expect(answer, String(tells)).toMatchObject({
      progress: { position: 540, records: 500, lostOffsets: 40 },
    });
  }
});

test("offsets without a record at the stretch's end are moved over, whether or not the log tells them", async () => {
  for (const tells of [true, false]) {
    const world = worldOf(20);
    world.log.tells = tells;
    world.log.fetch = ({ topic, partition, offset }) =>
      Promise.resolve({
        records: world.log.topic(`${topic}/${partition}`).slice(offset, 20),
        ...(tells ? { next: 25 } : {}),
      });
    const answer = await world.read(0, { ...hourly, to: 25 }, 1_000);
    expect(answer, String(tells)).toMatchObject({ kind: "read", progress: { position: 25, records: 20 } });
  }
});

test("a log that ends before the stretch for now is waited for", async () => {
  const world = worldOf(20);
  const answer = await world.read(0, { ...hourly, to: 25 }, 1_000);
  expect(answer).toMatchObject({ kind: "waits", progress: { position: 20 } });
  for (let number = 0; number < 5; number += 1) world.log.append(bid("item", "ada", 1, startsAt));
  expect(await world.read(0, { ...hourly, to: 25 })).toMatchObject({
    kind: "read",
    progress: { records: 25 },
  });
});

test("calls that come at once read one after the other, each record once", async () => {
  const world = worldOf(1_600);
  await Promise.all(Array.from({ length: 5 }, () => world.read(0, hourly)));
  const result = await world.run<{ buckets: { records: number }[] }>(hourly);
  expect(result.buckets.reduce((sum, { records }) => sum + records, 0)).toBe(1_600);
});

test("a failed fetch changes nothing and says why", async () => {
  const world = worldOf(5);
  world.log.failures = 1;
  const answer = await world.read(0, hourly);
  expect(answer).toMatchObject({ kind: "waits", progress: { position: 0, records: 0 } });
  expect(answer.kind === "waits" && answer.reason).toContain(LogError.name);
});

test("records are counted by type and hour, also those without a type", async () => {
  const world = worldOf(90);
  world.log.append({ ...bid("item", "ada", 1, startsAt), headers: [] });
  expect(await world.run(hourly)).toEqual({
    bucketSeconds: 3_600,
    buckets: [
      { start: "2026-01-01T00:00:00.000Z", records: 61, types: { "gavel.bid.placed.v1": 60, "": 1 } },
      { start: "2026-01-01T01:00:00.000Z", records: 30, types: { "gavel.bid.placed.v1": 30 } },
    ],
  });
});

test("more types than are told apart count as other, in whatever partition they are", async () => {
  const world = new ReplayWorld(2);
  for (let number = 0; number < 80; number += 1) {
    const headers = [{ key: "ce_type", value: `type-${number}` }];
    world.log.append({ ...bid("item", "ada", 1, startsAt), headers, partition: number % 2 });
  }
  const { buckets } = await world.run<{ buckets: { records: number; types: Record<string, number> }[] }>(
    hourly,
  );
  expect(buckets[0]?.records).toBe(80);
  expect(Object.keys(buckets[0]?.types ?? {})).toHaveLength(51);
  expect(buckets[0]?.types["other"]).toBe(30);
});

test("a stretch by time begins and ends with the first record at or after, and stays within the log", async () => {
  const { log } = worldOf(100);
  log.startsAt = 10;
  const at = (time: number) => ({ kind: "time", time }) as const;
  const look = (from: Parameters<typeof lookUpStretches>[3]["from"], to: typeof from) =>
    lookUpStretches(log, topics.journal, 1, { from, to }, startsAt);
  const minute = 60_000;
  expect(await look(at(startsAt + 20 * minute - 1), at(startsAt + 30 * minute + 1))).toEqual([
    { from: 20, to: 31 },
  ]);
  expect(await look(at(0), at(startsAt + 1_000 * minute))).toEqual([{ from: 10, to: 100 }]);
  expect(await look(undefined, undefined)).toEqual([{ from: 10, to: 100 }]);
  expect(await look({ kind: "offset", offset: 50 }, { kind: "offsets", offsets: [500] })).toEqual([
    { from: 50, to: 100 },
  ]);
  expect(await look({ kind: "offset", offset: 50 }, at(startsAt))).toEqual([{ from: 50, to: 50 }]);
});

import { expect, test } from "vitest";
import type { CallRecord, FunctionGroupRpc } from "../../../durable-objects/functions/rpc.ts";
import { type LineageView, lineageView } from "../../../src/lineage/answer.ts";
import type { ReadersOf } from "../../../src/lineage/calls.ts";
import { followEvent } from "../../../src/lineage/follow.ts";
import { LogReads } from "../../../src/lineage/log-reads.ts";
import type { KafkaLog, LogRecord, TopicPartitionOffset } from "../../../src/kafka/port.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { Problem } from "../../../src/lib/problem.ts";
import type { GroupObjects } from "../../../src/partitions.ts";
import { topics } from "../../../src/topics.ts";
import { bid, pushOf, startsAt, World } from "../partition/core-world.ts";

const hour = 3_600_000;

async function withLamp(): Promise<World> {
  const world = new World();
  await world.core.start();
  await world.list("lamp", startsAt + hour);
  return world;
}

function idOf({ headers }: LogRecord): string {
  return headers.find(({ key }) => key === "ce_id")?.value ?? "";
}

interface Settings {
  readonly fetches?: number;
  /** Records that one fetch answers. */
  readonly run?: number;
  readonly readersOf?: ReadersOf;
}

/** The log as a reader has it who gets a few records at a time. */
function inRuns(log: KafkaLog, run: number): Pick<KafkaLog, "fetch" | "offsets"> {
  return {
    fetch: async (from: TopicPartitionOffset, deadline: number) => {
      const answer = await log.fetch(from, deadline);
      return { ...answer, records: answer.records.slice(0, run) };
    },
    offsets: (...asked) => log.offsets(...asked),
  };
}

async function lineageOf(
  world: World,
  record: LogRecord,
  { fetches = 24, run = 1_000, readersOf = () => [] }: Settings = {},
): Promise<LineageView> {
  const id = idOf(record);
  const sources = {
    clock: systemClock,
    reads: new LogReads(inRuns(world.log, run), startsAt + hour, fetches),
    names: { items: topics.items, journal: topics.journal },
    nameOf: (role: keyof typeof topics) => topics[role],
    readersOf,
  };
  const trail = { ...(await world.core.trailOf(id)), partition: 0 };
  return lineageView(await followEvent(sources, [trail], { id }));
}

/** Two bids, the second of which displaces the first, and so on: an output each but for the first. */
async function contested(world: World, count: number): Promise<LogRecord[]> {
  const { length } = world.log.topic(topics.journal);
  const records = Array.from({ length: count }, (_, index) =>
    world.log.append(bid("lamp", `bidder-${(length + index) % 2}`, 10 + length + index, startsAt)),
  );
  await world.core.push(pushOf("journal", records));
  await world.core.wake();
  return records;
}

test("an output that an append in doubt left in its topic twice is told once", async () => {
  const world = await withLamp();
  const [, second] = await contested(world, 2);
  if (second === undefined) throw new Error("there are two bids");
  const notifications = world.log.topic(topics.notifications);
  for (const output of [...notifications]) world.log.append(output);
  const { produced, totals, complete } = await lineageOf(world, second);
  expect(produced.map(({ offset }) => offset)).toEqual([0]);
  expect([totals.produced, complete]).toEqual([1, true]);
});

test("outputs whose places are not known any more are found by their sequences, in a few fetches", async () => {
  const world = await withLamp();
  // Each appended twice: an offset is ever further from its sequence.
  const produce = world.log.produce.bind(world.log);
  world.log.produce = async (records) => {
    if (records[0]?.topic === topics.notifications) await produce(records);
    return produce(records);
  };
  const bids: LogRecord[] = [];
  for (let count = 0; count < 20; count += 1) bids.push(...(await contested(world, 10)));
  // As after a rebuild: what was applied is known, and not where its outputs are.
  const { core } = world;
  const trailOf = core.trailOf.bind(core);
  core.trailOf = async (id) => {
    const answer = await trailOf(id);
    const steps = answer.steps.map((step) => ({
      ...step,
      outputs: step.outputs.map((outputs) => ({
        ...outputs,
        stretches: [],
        notBefore: outputs.sequence - 1,
      })),
    }));
    return { ...answer, steps };
  };
  let found = 0;
  for (const record of bids.slice(1)) {
    const view = await lineageOf(world, record, { run: 150 });
    if (view.totals.produced === 0) continue;
    found += 1;
    expect(view.produced).toMatchObject([{ at: null, id: `${topics.journal}/0/${record.offset}/1` }]);
    expect(view.complete).toBe(true);
  }
  expect(found).toBe(199);
});

test("what may not be fetched any more is said to be missing, and what was fetched is told", async () => {
  const world = await withLamp();
  const [, second] = await contested(world, 2);
  if (second === undefined) throw new Error("there are two bids");
  const view = await lineageOf(world, second, { fetches: 1 });
  expect(view).toMatchObject({ produced: [], totals: { produced: 1, unsent: 0 }, complete: false });
  expect(view.record.offset).toBe(second.offset);
});

test("a group that does not answer is unknown, and keeps no other's answer back", async () => {
  const world = await withLamp();
  const [, second] = await contested(world, 2);
  if (second === undefined) throw new Error("there are two bids");
  const call: CallRecord = { function: "told", offset: 0, attempts: 1, status: "done", startedAt: startsAt };
  const answering = (ask: () => Promise<readonly CallRecord[]>) => {
    const objects = {
      call: (_: number, operation: (object: FunctionGroupRpc) => unknown) =>
        operation({ callsOf: ask } as unknown as FunctionGroupRpc),
    };
    return objects as unknown as GroupObjects<FunctionGroupRpc>;
  };
  const away = () => Promise.reject(new Problem("partition-unavailable", "Partition 0 does not answer"));
  const readersOf: ReadersOf = (role) =>
    role === "notifications"
      ? [
          { group: "away", objects: answering(away) },
          { group: "here", objects: answering(() => Promise.resolve([call])) },
        ]
      : [];
  const { invoked, produced } = await lineageOf(world, second, { readersOf });
  const event = produced[0]?.id;
  const startedAt = new Date(startsAt).toISOString();
  expect(invoked).toEqual([
    { group: "away", partition: 0, event, status: "unknown" },
    { group: "here", partition: 0, event, function: "told", attempts: 1, status: "done", startedAt },
  ]);
});

test("a record that the log has deleted is an event that is not known", async () => {
  const world = await withLamp();
  const [first] = await contested(world, 2);
  if (first === undefined) throw new Error("there are two bids");
  const fetch = world.log.fetch.bind(world.log);
  world.log.fetch = async (from) => {
    const answer = await fetch(from);
    return { ...answer, records: answer.records.filter(({ offset }) => offset > first.offset) };
  };
  await expect(lineageOf(world, first)).rejects.toMatchObject({ code: "unknown-event" });
});

test("an event that may be behind what a question looks at is not called unknown: its partition is not there yet", async () => {
  const world = await withLamp();
  const records = Array.from({ length: 5 }, (_, index) =>
    world.log.append(bid("lamp", "ada", 10 + index, startsAt)),
  );
  const [, second] = records;
  const last = records.at(-1);
  if (second === undefined || last === undefined) throw new Error("there are five bids");
  const seen = await lineageOf(world, second, { run: 3 });
  expect([seen.record.offset, seen.applied.status]).toEqual([second.offset, "not-yet"]);
  await expect(lineageOf(world, last, { run: 3 })).rejects.toMatchObject({ code: "partition-unavailable" });
  expect((await lineageOf(world, last, { run: 5 })).record.offset).toBe(last.offset);
});

test("what a function made late, behind much of later records, is found; where it is not, the answer says so", async () => {
  const world = await withLamp();
  const [, second] = await contested(world, 2);
  if (second === undefined) throw new Error("there are two bids");
  const made = (id: string) => {
    const headers = [{ key: "ce_id", value: id }];
    world.log.append({
      topic: topics.validated,
      partition: 0,
      key: "lamp",
      value: "{}",
      timestamp: startsAt,
      headers,
    });
  };
  for (let other = 100; other < 105; other += 1) made(`${topics.completed}/0/${other}/enrich/1`);
  const late = `${topics.notifications}/0/0/enrich/1`;
  made(late);
  const objects = {
    call: (_: number, operation: (object: FunctionGroupRpc) => unknown) =>
      operation({
        callsOf: () => Promise.resolve([{ function: "enrich", offset: 0, attempts: 2, status: "done" }]),
      } as unknown as FunctionGroupRpc),
  } as unknown as GroupObjects<FunctionGroupRpc>;
  const readersOf: ReadersOf = (role) => (role === "notifications" ? [{ group: "enrich", objects }] : []);
  const followed = await lineageOf(world, second, { readersOf, run: 2 });
  expect(followed.produced.map(({ id }) => id)).toContain(late);
  expect(followed.complete).toBe(true);
  const cut = await lineageOf(world, second, { readersOf, run: 1 });
  expect(cut.produced.map(({ id }) => id)).not.toContain(late);
  expect(cut.complete).toBe(false);
});

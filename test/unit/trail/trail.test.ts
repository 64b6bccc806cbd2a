import { expect, test } from "vitest";
import type { TrailStep } from "../../../durable-objects/trail/answer.ts";
import type { LogRecord } from "../../../src/kafka/port.ts";
import { topics } from "../../../src/topics.ts";
import { bid, listing, pushOf, startsAt, World } from "../partition/core-world.ts";

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

async function stepsOf({ core }: World, record: LogRecord): Promise<readonly TrailStep[]> {
  return (await core.trailOf(idOf(record))).steps;
}

/** The one step of a record, which must be there. */
async function stepOf(world: World, record: LogRecord): Promise<TrailStep> {
  const steps = await stepsOf(world, record);
  const [step] = steps;
  if (step === undefined || steps.length > 1) throw new Error(`${steps.length} steps of ${idOf(record)}`);
  return step;
}

/** Outputs of a step as the log has them where the trail says. */
function outputsOf({ log }: World, { outputs }: Pick<TrailStep, "outputs">): LogRecord[] {
  return outputs.flatMap(({ topic, stretches }) =>
    stretches.flatMap(({ offset, count }) => log.topic(topics[topic]).slice(offset, offset + count)),
  );
}

function hasPrefix({ offset }: TrailStep): (record: LogRecord) => boolean {
  return (record) => idOf(record).startsWith(`${topics.journal}/0/${offset}/`);
}

test("a bid is found by its id: where it is, when it was applied, what was decided and what came of it", async () => {
  const world = await withLamp();
  await world.bid("lamp", "ann", 5);
  world.clock.time += 1_000;
  const second = await world.bid("lamp", "ben", 7);
  await world.core.wake();
  const step = await stepOf(world, second);
  expect(step).toMatchObject({
    offset: second.offset,
    fate: "accepted",
    isDuplicate: false,
    decided: { by: second.offset, at: step.appliedAt },
    outputs: [{ topic: "notifications", sequence: 1, count: 1, unsent: 0 }],
  });
  expect(step.appliedAt).toBeGreaterThanOrEqual(startsAt + 1_000);
  expect(step.outputs[0]?.stretches[0]?.at).toBeGreaterThanOrEqual(step.appliedAt);
  const outputs = outputsOf(world, step);
  expect(outputs.map(idOf)).toEqual([`${topics.journal}/0/${second.offset}/1`]);
});

test("a refused bid and a repeated one say so, and an id that nobody sent has no steps", async () => {
  const world = await withLamp();
  const first = await world.bid("lamp", "ann", 5);
  const low = await world.bid("lamp", "ben", 5);
  expect(await stepOf(world, low)).toMatchObject({ fate: "too-low", outputs: [{ topic: "notifications" }] });
  const again = world.log.append(first);
  await world.core.push(pushOf("journal", [again]));
  const steps = await stepsOf(world, first);
  expect(steps.map(({ offset, fate, isDuplicate }) => [offset, fate, isDuplicate])).toEqual([
    [again.offset, "accepted", true],
    [first.offset, "accepted", false],
  ]);
  expect((await world.core.trailOf("nobody")).steps).toEqual([]);
});

test("a listing is found at its opening, by the listing's own id", async () => {
  const world = await withLamp();
  const [listed] = world.log.topic(topics.items);
  if (listed === undefined) throw new Error("an item was listed");
  expect(await stepOf(world, listed)).toMatchObject({ offset: 0, fate: "accepted", outputs: [] });
  const again = world.log.append(listing("lamp", startsAt, startsAt + hour));
  await world.core.push(pushOf("items", [again]));
  expect(await stepOf(world, again)).toMatchObject({ fate: "already-listed" });
});

test("a bid that came ahead of its item waits, and then tells which record had it judged", async () => {
  const world = await withLamp();
  const early = await world.bid("vase", "ann", 5);
  expect(await stepOf(world, early)).toMatchObject({ fate: "waiting", outputs: [] });
  expect(await stepOf(world, early)).not.toHaveProperty("decided");
  const other = await world.bid("vase", "ben", 5);
  world.clock.time += 500;
  await world.list("vase", startsAt + hour);
  const opening = world.log.topic(topics.journal).at(-1);
  const steps = [await stepOf(world, early), await stepOf(world, other)];
  expect(steps.map(({ fate, decided }) => [fate, decided?.by])).toEqual([
    ["accepted", opening?.offset],
    ["too-low", opening?.offset],
  ]);
  expect(steps[0]?.decided?.at).toBeGreaterThan(steps[0]?.appliedAt ?? 0);
  await world.core.wake();
  const { decided } = await stepOf(world, other);
  if (decided === undefined) throw new Error("it was decided");
  expect(outputsOf(world, decided).map(idOf)).toEqual([`${topics.journal}/0/${opening?.offset}/1`]);
});

test("what many records of one transaction made is told apart, also behind a closing with many losers", async () => {
  const world = await withLamp();
  const bidders = Array.from({ length: 40 }, (_, index) => `bidder-${index}`);
  const at = world.clock.time;
  const bids = bidders.map((bidder, index) => world.log.append(bid("lamp", bidder, 5 + index, at)));
  const closing = world.log.append(bid("nowhere", "ann", 1, startsAt + hour + 5_000));
  const low = world.log.append(bid("lamp", "late", 1, startsAt + hour + 5_000));
  await world.core.push(pushOf("journal", [...bids, closing, low]));
  await world.core.wake();
  for (const record of [...bids, low]) {
    const step = await stepOf(world, record);
    const outputs = outputsOf(world, step);
    expect(outputs).toHaveLength(record === bids[0] ? 0 : 1);
    expect(outputs.every(hasPrefix(step))).toBe(true);
  }
  const closed = await stepOf(world, closing);
  const outputs = outputsOf(world, closed);
  expect(outputs).toHaveLength(41);
  expect(outputs.every(hasPrefix(closed))).toBe(true);
  expect(closed.outputs.map(({ topic, count }) => [topic, count])).toEqual([
    ["completed", 1],
    ["notifications", 40],
  ]);
});

test("outputs that the log has not taken are told as unsent, and found once it has", async () => {
  const world = await withLamp();
  world.log.refused = topics.notifications;
  await world.bid("lamp", "ann", 5);
  const second = await world.bid("lamp", "ben", 7);
  expect((await stepOf(world, second)).outputs).toMatchObject([{ count: 1, unsent: 1, stretches: [] }]);
  world.log.refused = "";
  await world.clock.advance(5_000);
  await world.core.wake();
  const step = await stepOf(world, second);
  expect(step.outputs).toMatchObject([{ count: 1, unsent: 0 }]);
  expect(outputsOf(world, step).map(idOf)).toEqual([`${topics.journal}/0/${second.offset}/1`]);
});

test("a record that cannot be read is found by its id, with its dead letter", async () => {
  const world = await withLamp();
  const broken = world.log.append({ ...bid("lamp", "ann", 5, startsAt), value: "no JSON" });
  await world.core.push(pushOf("journal", [broken]));
  await world.core.wake();
  const step = await stepOf(world, broken);
  expect(step).toMatchObject({ fate: "dead-lettered", outputs: [{ topic: "deadLetters", count: 1 }] });
  expect(outputsOf(world, step)).toHaveLength(1);
});

test("a restart forgets nothing of the trail, nor of the outputs that were acknowledged", async () => {
  const world = await withLamp();
  const records: LogRecord[] = [];
  for (let index = 0; index < 300; index += 1)
    records.push(await world.bid("lamp", `b${index % 2}`, 5 + index));
  await world.core.wake();
  const before = await Promise.all(records.map((record) => stepOf(world, record)));
  await world.restart();
  expect(await Promise.all(records.map((record) => stepOf(world, record)))).toEqual(before);
  expect(before.slice(1).every((step) => outputsOf(world, step).every(hasPrefix(step)))).toBe(true);
  const sent = before.flatMap((step) => outputsOf(world, step));
  expect(sent).toHaveLength(299);
});

test("a transaction that fails leaves nothing in the trail", async () => {
  const world = await withLamp();
  await world.bid("lamp", "ann", 5);
  const failed = world.log.append(bid("lamp", "ben", 7, startsAt));
  world.storage.statementsLeft = 2;
  await world.core.push(pushOf("journal", [failed])).catch(() => undefined);
  world.storage.statementsLeft = Number.POSITIVE_INFINITY;
  expect(await stepsOf(world, failed)).toEqual([]);
  await world.core.wake();
  expect(await stepOf(world, failed)).toMatchObject({ offset: failed.offset, fate: "accepted" });
});

/**
 * One run of the simulation of a group of functions: a writer whose records come with repetitions and
 * gaps, pushes that fail, a log that fails, functions that fail in every way, an object that crashes
 * between any two of its steps; then calm, and a look at everything that was done.
 */
import type { PartitionDependencies } from "../../../durable-objects/dependencies.ts";
import type { DrivenFunction } from "../../../durable-objects/functions/driven.ts";
import { FunctionGroupCore } from "../../../durable-objects/functions/function-group.ts";
import type { FunctionGroupStatus } from "../../../durable-objects/functions/rpc.ts";
import type { PushBatch } from "../../../durable-objects/rpc.ts";
import { defaultSettings } from "../../../src/functions/declare.ts";
import type { FunctionSettings } from "../../../src/functions/function.ts";
import { encodeHeaders } from "../../../src/kafka/header-text.ts";
import { LogError, type LogRecord } from "../../../src/kafka/port.ts";
import type { TopicRole } from "../../../src/topics.ts";
import { drawPlan, type FaultCounts, Faults } from "../faults.ts";
import type { World } from "../log-client.ts";
import { MemoryLog, partition } from "../memory-log.ts";
import { ObjectHost } from "../object-host.ts";
import { ProduceHistory } from "../produce-history.ts";
import { Random } from "../random.ts";
import { Scheduler } from "../scheduler.ts";
import { calmTemper, type ReceivedRecord, Receiver, type Temper } from "./receiver.ts";

export const topicPrefix = "sim.";
export const topic = `${topicPrefix}auction.completed`;
const group = "enrich";
const startsAt = Date.UTC(2026, 5, 1, 12);
const maxSteps = 600_000;

export interface FunctionRun {
  readonly seed: number;
  readonly functions: readonly Pick<DrivenFunction, "name" | "settings">[];
  readonly log: MemoryLog;
  readonly host: ObjectHost<FunctionGroupCore>;
  readonly receiver: Receiver;
  readonly history: ProduceHistory;
  readonly counts: FaultCounts;
  /** Offsets that repeat an earlier record, under its sequence. */
  readonly repetitions: ReadonlySet<number>;
  readonly steps: number;
}

/** Plays one seed to its calm end. Throws where the object stands still or fails. */
export async function simulateFunctions(seed: number): Promise<FunctionRun> {
  const random = new Random(seed);
  const scheduler = new Scheduler(startsAt);
  const log = new MemoryLog();
  const plan = drawPlan(random.fork());
  // What is deleted before it is read is another test's; here nothing may be missing.
  const faults = new Faults({ ...plan, retention: false, remakes: false, wipe: 0 }, random.fork());
  faults.keepStorage();
  log.tells = plan.tells;
  const world: World = { scheduler, log, faults, history: new ProduceHistory(log) };
  const functions = ["one", "other"].map((name) => ({ name, settings: drawSettings(random) }));
  const receiver = new Receiver(scheduler, random.fork(), drawTemper(random), laneOf(functions));
  const host = hostOf(world, functions, receiver, random.fork());
  const writer = new Writer(world, host, random.fork());
  writer.plan(random.integer(20, 120));
  if (random.chance(0.5)) receiver.awayUntil.set("other", startsAt + random.integer(5_000, 120_000));
  const stopSweep = sweep(scheduler, host, random.fork());

  await scheduler.run(() => writer.isDone, Number.POSITIVE_INFINITY, maxSteps);
  await scheduler.run(() => false, scheduler.now + random.integer(0, 60_000), maxSteps);
  faults.stop();
  receiver.temper = calmTemper;
  receiver.awayUntil.clear();
  await scheduler.run(() => false, scheduler.now + 30_000, maxSteps);
  await drain(scheduler, host, log);
  stopSweep();
  const { counts } = faults;
  const { repetitions } = writer;
  return {
    seed,
    functions,
    log,
    host,
    receiver,
    history: world.history,
    counts,
    repetitions,
    steps: scheduler.steps,
  };
}

function drawSettings(random: Random): FunctionSettings {
  return {
    ...defaultSettings,
    order: random.pick(["key", "key", "partition", "none"]),
    batch: {
      count: random.pick([1, 3, 20]),
      characters: 10_000,
      waitMs: random.pick([0, 0, 20]),
      mixesKeys: random.chance(0.5),
    },
    concurrency: random.pick([1, 3, 16]),
    timeoutMs: 1_000,
    retry: {
      attempts: random.pick([2, 5]),
      maximumAgeMs: random.pick([5_000, 3_600_000]),
      firstDelayMs: 50,
      longestDelayMs: 2_000,
    },
    budget: { records: random.pick([3, 100]), characters: 100_000 },
    circuit: { failures: random.pick([3, 1_000]), firstProbeMs: 500, longestProbeMs: 5_000 },
  };
}

function drawTemper(random: Random): Temper {
  return {
    retries: random.pick([0, 0.05, 0.3]),
    refusals: random.pick([0, 0.05]),
    silences: random.pick([0, 0.05]),
    failures: random.pick([0, 0.05, 0.3]),
    hangs: random.pick([0, 0.02]),
    typicalMs: random.pick([2, 20, 300]),
  };
}

export function laneOf(
  functions: FunctionRun["functions"],
): (name: string, record: Pick<ReceivedRecord, "key" | "offset">) => string {
  return (name, { key, offset }) => {
    const order = functions.find((one) => one.name === name)?.settings.order;
    if (order === "partition") return "all";
    return order === "key" && key !== "" ? key : String(offset);
  };
}

function hostOf(
  world: World,
  functions: FunctionRun["functions"],
  receiver: Receiver,
  random: Random,
): ObjectHost<FunctionGroupCore> {
  const driven = functions.map(({ name, settings }): DrivenFunction => ({
    name,
    settings,
    from: "earliest",
    invoke: (invocation) => receiver.invoke(invocation),
    selects: ({ event }) => event.type !== "sim.unwanted.v1",
  }));
  class SimulatedGroup extends FunctionGroupCore {
    constructor(dependencies: PartitionDependencies) {
      const source = { functions: () => Promise.resolve(driven) };
      super(
        { ...dependencies, random: () => random.unit(), source, mostCalls: 64 },
        { topic: "completed", writer: "auction", functions: {} },
      );
    }
  }
  const settings = {
    topicPrefix,
    closeGraceMs: 2_000,
    earlyBidWaitMs: 1_000,
    retentionMs: 1_000,
    produceTimeoutMs: 1_500,
  };
  return new ObjectHost(world, SimulatedGroup, () => settings, group);
}

/** Writes as the outbox of the group before does: dense sequences, a batch now and then a second time. */
class Writer {
  readonly repetitions = new Set<number>();
  readonly #world: World;
  readonly #host: ObjectHost<FunctionGroupCore>;
  readonly #random: Random;
  #sequence = 0;
  #planned = 0;
  #written = 0;
  #pending = 0;

  constructor(world: World, host: ObjectHost<FunctionGroupCore>, random: Random) {
    this.#world = world;
    this.#host = host;
    this.#random = random;
  }

  get isDone(): boolean {
    return this.#written === this.#planned && this.#pending === 0;
  }

  plan(writes: number): void {
    this.#planned = writes;
    let at = 0;
    for (let write = 0; write < writes; write += 1) {
      at += this.#random.delay(400);
      this.#world.scheduler.after(at, () => this.#write());
    }
  }

  #write(): void {
    const { faults, log } = this.#world;
    this.#written += 1;
    if (faults.chance("gap")) {
      faults.count("gap in offsets");
      log.skip(topic, this.#random.integer(1, 3));
    }
    const first = this.#sequence + 1;
    const count = this.#random.integer(1, 4);
    this.#sequence += count;
    this.#push(this.#append(first, count));
    if (!this.#random.chance(0.1)) return;
    const again = this.#append(first, count);
    for (const { offset } of again) this.repetitions.add(offset);
    this.#push(again);
  }

  #append(first: number, count: number): LogRecord[] {
    return this.#world.log.append(
      Array.from({ length: count }, (_, index) => {
        const sequence = first + index;
        const key = sequence % 13 === 0 ? "" : `key-${sequence % 5}`;
        const type = sequence % 11 === 0 ? "sim.unwanted.v1" : "sim.wanted.v1";
        return {
          topic,
          key,
          value: JSON.stringify({ sequence }),
          timestamp: this.#world.scheduler.now,
          headers: [
            { key: "ce_type", value: type },
            { key: "ce_source", value: `/groups/auction/${partition}` },
            { key: "gavel_sequence", value: String(sequence) },
          ],
        };
      }),
    );
  }

  #push(records: readonly LogRecord[]): void {
    const { faults, log, scheduler } = this.#world;
    if (faults.chance("push")) return faults.count("push dropped");
    this.#pending += 1;
    const topicId = log.tells ? { topicId: log.id(topic) } : {};
    const batch: PushBatch<TopicRole> = {
      topic: "completed",
      ...topicId,
      offsets: records.map(({ offset }) => offset),
      timestamps: records.map(({ timestamp }) => timestamp),
      keys: records.map(({ key }) => key),
      values: records.map(({ value }) => value),
      headers: records.map(({ headers }) => encodeHeaders(headers)),
    };
    scheduler.after(this.#random.delay(faults.chance("push") ? 5_000 : 20), () => {
      const over = (): void => void (this.#pending -= 1);
      this.#host.call((core) => core.push(structuredClone(batch))).then(over, over);
    });
  }
}

function sweep(scheduler: Scheduler, host: ObjectHost<FunctionGroupCore>, random: Random): () => void {
  let isStopped = false;
  const next = (): void =>
    scheduler.after(random.integer(1_000, 30_000), () => {
      if (isStopped) return;
      host.call(woken).catch(() => undefined);
      next();
    });
  next();
  return () => {
    isStopped = true;
  };
}

/** Undefined where the log is away and cannot tell where a new function begins: then the object says nothing. */
async function woken(core: FunctionGroupCore): Promise<FunctionGroupStatus | undefined> {
  return core.wakeFunctions().catch((error: unknown) => {
    if (error instanceof LogError) return undefined;
    throw error;
  });
}

/** Runs on until everything is finished and every output acknowledged. */
async function drain(
  scheduler: Scheduler,
  host: ObjectHost<FunctionGroupCore>,
  log: MemoryLog,
): Promise<void> {
  let status: FunctionGroupStatus | undefined;
  for (let round = 0; round < 100; round += 1) {
    status = await scheduler.finish(host.call(woken));
    if (status !== undefined && isDrained(status, log)) return;
    await scheduler.run(() => false, scheduler.now + 10_000, maxSteps);
  }
  throw new Error(`stands still: ${JSON.stringify(status)}`);
}

function isDrained(status: FunctionGroupStatus, log: MemoryLog): boolean {
  const end = log.tells ? log.end(topic) : (log.records(topic).at(-1)?.offset ?? -1) + 1;
  const isFinished = status.functions.every(
    ({ next, oldestUnfinished }) => oldestUnfinished === undefined && next >= end,
  );
  return isFinished && status.functions.length > 0 && status.position >= end && status.outbox === 0;
}

/**
 * One run of the simulation of a group of functions: a writer whose records come with repetitions and
 * gaps, pushes that fail, a log that fails, functions that fail in every way, an object that crashes
 * between any two of its steps; then calm, and a look at everything that was done.
 */
import type { PartitionDependencies } from "../../../durable-objects/dependencies.ts";
import type { DrivenFunction } from "../../../durable-objects/functions/driven.ts";
import { FunctionGroupCore } from "../../../durable-objects/functions/function-group.ts";
import { windowLimits } from "../../../durable-objects/functions/window.ts";
import type { CallRecord, FunctionGroupStatus } from "../../../durable-objects/functions/rpc.ts";
import { defaultSettings } from "../../../src/functions/declare.ts";
import type { FunctionSettings } from "../../../src/functions/function.ts";
import { LogError } from "../../../src/kafka/port.ts";
import { drawPlan, type FaultCounts, Faults } from "../faults.ts";
import type { World } from "../log-client.ts";
import { MemoryLog } from "../memory-log.ts";
import { ObjectHost } from "../object-host.ts";
import { ProduceHistory } from "../produce-history.ts";
import { Random } from "../random.ts";
import { Scheduler } from "../scheduler.ts";
import type { ReceivedRecord } from "./history.ts";
import { Moments } from "./moments.ts";
import { topic, topicPrefix } from "./names.ts";
import { Operator } from "./operator.ts";
import { calmTemper, Receiver, type Temper } from "./receiver.ts";
import { Writer } from "./writer.ts";

const group = "enrich";
const startsAt = Date.UTC(2026, 5, 1, 12);
const maxSteps = 600_000;
/** More than a run has records, one of which at least is taken back each time. */
const maxRedrives = 1_000;

/** What a run meets beside failures and crashes: nothing in half of the runs, whose properties are strict. */
export interface RunKind {
  readonly isOperated: boolean;
  /** Some of the crashes take the storage as well. */
  readonly isWiped: boolean;
  /** The log deletes from its start, also what was not read. */
  readonly isDeleted: boolean;
}

export interface FunctionRun {
  readonly seed: number;
  readonly kind: RunKind;
  readonly functions: readonly Pick<DrivenFunction, "name" | "settings">[];
  readonly log: MemoryLog;
  readonly host: ObjectHost<FunctionGroupCore>;
  readonly receiver: Receiver;
  readonly history: ProduceHistory;
  readonly counts: FaultCounts;
  readonly moments: Moments;
  /** Offsets that repeat an earlier record, under its sequence, and that record's. */
  readonly repetitions: ReadonlyMap<number, number>;
  /** Dead letters that could not be taken back in the end. */
  readonly leftDead: number;
  /** What the object tells of every record in the end. */
  readonly told: readonly CallRecord[];
}

interface Simulated {
  readonly world: World;
  readonly host: ObjectHost<FunctionGroupCore>;
  readonly receiver: Receiver;
  readonly moments: Moments;
  readonly kind: RunKind;
}

/** Plays one seed to its calm end. Throws where the object stands still or fails. */
export async function simulateFunctions(seed: number): Promise<FunctionRun> {
  const random = new Random(seed);
  const kind = kindOf(seed, random);
  const scheduler = new Scheduler(startsAt);
  const log = new MemoryLog();
  const plan = drawPlan(random.fork());
  const faults = new Faults({ ...plan, remakes: false }, random.fork());
  if (!kind.isWiped) faults.keepStorage();
  log.tells = plan.tells;
  const functions = ["one", "other"].map((name) => ({ name, settings: drawSettings(random) }));
  const receiver = new Receiver(scheduler, random.fork(), drawTemper(random), laneOf(functions));
  const history = new WatchedHistory(log, () => receiver.wiped());
  const world: World = { scheduler, log, faults, history };
  const moments = new Moments();
  const host = hostOf({ world, functions, receiver, moments }, random.fork());
  const writer = new Writer(world, host, random.fork());
  writer.plan(random.integer(20, 120));
  if (random.chance(0.5)) receiver.awayUntil.set("other", startsAt + random.integer(5_000, 120_000));
  const simulated: Simulated = { world, host, receiver, moments, kind };
  const leftDead = await play(simulated, () => writer.isDone, random);
  const { repetitions } = writer;
  const { counts } = faults;
  const end = { leftDead, told: await toldOf(simulated) };
  return { seed, kind, functions, log, host, receiver, history, counts, moments, repetitions, ...end };
}

function kindOf(seed: number, random: Random): RunKind {
  const isOperated = seed % 2 === 0;
  const mishap = isOperated ? random.pick(["none", "none", "wipes", "deletions"]) : "none";
  return { isOperated, isWiped: mishap === "wipes", isDeleted: mishap === "deletions" };
}

/** Answers how many dead letters could not be taken back in the end. */
async function play(simulated: Simulated, isWritten: () => boolean, random: Random): Promise<number> {
  const { world, host, receiver, moments, kind } = simulated;
  const { scheduler, faults } = world;
  const stopSweep = sweep(simulated, random.fork());
  const operator = new Operator(scheduler, host, { receiver, moments, random: random.fork() });
  if (kind.isOperated) operator.start();
  if (kind.isDeleted) deleteNowAndThen(simulated, random.fork());
  await scheduler.run(isWritten, Number.POSITIVE_INFINITY, maxSteps);
  await scheduler.run(() => false, scheduler.now + random.integer(0, 60_000), maxSteps);
  faults.stop();
  receiver.temper = calmTemper;
  receiver.awayUntil.clear();
  if (kind.isOperated) await scheduler.finish(operator.stop());
  await scheduler.run(() => false, scheduler.now + 30_000, maxSteps);
  await drain(simulated);
  const leftDead = kind.isOperated ? await redriveAll(simulated, operator) : 0;
  stopSweep();
  return leftDead;
}

/** Takes dead letters back for as long as some can be: calm as it is, all of them are done. */
async function redriveAll(simulated: Simulated, operator: Operator): Promise<number> {
  for (let round = 0; round < maxRedrives; round += 1) {
    const { redriven, left } = await simulated.world.scheduler.finish(operator.redriveAll());
    if (redriven === 0) return left;
    await drain(simulated);
  }
  throw new Error("dead letters are taken back without end");
}

/** In the end, when nothing is under way any more. */
async function toldOf({ world: { scheduler, log }, host }: Simulated): Promise<readonly CallRecord[]> {
  const offsets = log.history(topic).map(({ offset }) => offset);
  const ask = (core: FunctionGroupCore): Promise<readonly CallRecord[]> => core.callsOf(offsets);
  return scheduler.finish(host.call(ask));
}

class WatchedHistory extends ProduceHistory {
  readonly #onWiped: () => void;

  constructor(log: MemoryLog, onWiped: () => void) {
    super(log);
    this.#onWiped = onWiped;
  }

  override wiped(): void {
    super.wiped();
    this.#onWiped();
  }
}

/**
 * The log's start moves now and then, past what was read or not; once the functions have begun, since
 * what is gone before is nothing of theirs.
 */
function deleteNowAndThen(simulated: Simulated, random: Random): void {
  const { receiver, world } = simulated;
  const { scheduler, log, faults } = world;
  scheduler.after(random.integer(1_000, 20_000), () => {
    if (!faults.on) return;
    const [start, end] = [log.start(topic), log.end(topic)];
    const haveBegun = new Set(receiver.calls.map((call) => call.function)).size === 2;
    if (end > start && haveBegun) {
      faults.count("retention");
      log.deleteBefore(topic, random.integer(start, random.chance(0.3) ? end : start + ((end - start) >> 1)));
    }
    deleteNowAndThen(simulated, random);
  });
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
  {
    world,
    functions,
    receiver,
    moments,
  }: Pick<Simulated, "world" | "receiver" | "moments"> & Pick<FunctionRun, "functions">,
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
      const logger: PartitionDependencies["logger"] = (_level, event) => {
        if (event === "circuit.opened") moments.count("circuit opened");
      };
      super(
        { ...dependencies, logger, random: () => random.unit(), source, mostCalls: 64 },
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

function sweep({ world: { scheduler }, host, moments }: Simulated, random: Random): () => void {
  let isStopped = false;
  const look = (status: FunctionGroupStatus | undefined): void => {
    for (const { full = "", next, position } of status?.functions ?? []) {
      if (full.includes("parked records")) moments.count("budget spent");
      if (next - position >= windowLimits.span) moments.count("window full");
    }
  };
  const next = (): void =>
    scheduler.after(random.integer(1_000, 30_000), () => {
      if (isStopped) return;
      host.call(woken).then(look, () => undefined);
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
async function drain({ world: { scheduler, log }, host, moments }: Simulated): Promise<void> {
  let status: FunctionGroupStatus | undefined;
  for (let round = 0; round < 100; round += 1) {
    status = await scheduler.finish(host.call(woken));
    if (status !== undefined && isDrained(status, log)) {
      if (status.lostOffsets > 0) moments.count("offsets lost");
      return;
    }
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

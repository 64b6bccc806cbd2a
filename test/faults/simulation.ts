/**
 * One run of the simulation: a script of writes, edges that push badly, a log that fails, an object
 * that crashes and loses its storage; then calm, and a comparison with runs that had none of it.
 */
import type { PartitionSettings } from "../../durable-objects/dependencies.ts";
import type { PartitionStatus } from "../../durable-objects/rpc.ts";
import { topics } from "../../src/topics.ts";
import { Edges } from "./edges.ts";
import { calmPlan, drawPlan, Faults } from "./faults.ts";
import type { FaultCounts } from "./faults.ts";
import { MemoryLog } from "./memory-log.ts";
import type { World } from "./log-client.ts";
import { ObjectHost } from "./object-host.ts";
import type { CoreConstructor } from "./object-host.ts";
import { OtherProducer } from "./other-producer.ts";
import { ProduceHistory } from "./produce-history.ts";
import { Random } from "./random.ts";
import { Scheduler } from "./scheduler.ts";
import { drawScript } from "./script.ts";
import type { Script } from "./script.ts";

/** In front of every topic's name, so that nothing relies on the plain names. */
export const topicPrefix = "sim.";
/** When every run begins; any whole second does. */
const startsAt = Date.UTC(2026, 5, 1, 12);
/** More steps than a run needs by far: a loop that makes no progress ends here. */
const maxSteps = 400_000;
/** Long enough for every item of a live script to be over. */
const untilAllEnded = 10 * 60_000;

export interface Run {
  readonly seed: number;
  readonly script: Script;
  readonly counts: FaultCounts;
  readonly log: MemoryLog;
  readonly host: ObjectHost;
  readonly scheduler: Scheduler;
  readonly history: ProduceHistory;
  readonly edges: Edges;
}

/** Plays one seed to its calm end. Throws where the object stands still or fails. */
export async function simulate(seed: number, core: CoreConstructor): Promise<Run> {
  const random = new Random(seed);
  const script = drawScript(random.fork(), startsAt);
  const settings = [drawSettings(random.fork()), drawSettings(random.fork())];
  const faults = new Faults(drawPlan(random.fork()), random.fork());
  const { run, edges, world } = prepare(seed, script, faults, core, () => random.pick(settings));
  const { scheduler, host, log } = run;
  log.tells = faults.plan.tells;
  if (!log.tells) faults.count("log that tells nothing");
  const others = new OtherProducer(world, host, topicPrefix);
  others.plan(Math.max(0, ...script.writes.map(({ at }) => at)));
  const stopSweep = sweep(scheduler, host, () => faults.random.integer(1_000, 30_000));

  await scheduler.run(() => edges.idle && others.idle, Number.POSITIVE_INFINITY, maxSteps);
  faults.stop();
  // What timed out may still land, and lands in the log before the calm.
  await scheduler.run(() => false, scheduler.now + 30_000, maxSteps);
  if (isReplaced(run)) await scheduler.finish(host.call((object) => object.wake()));
  else await drain(scheduler, host, log, untilAllEnded);
  stopSweep();
  return run;
}

/**
 * Plays a seed's script with nothing failing and nobody sweeping: pushes and the object's own
 * alarm are all there is. Ends when every item has had time to close.
 */
export async function simulateCalm(seed: number, core: CoreConstructor): Promise<Run> {
  const random = new Random(seed);
  const script = drawScript(random.fork(), startsAt);
  const settings = drawSettings(random.fork());
  const faults = new Faults(calmPlan, random.fork(), false);
  const { run, edges } = prepare(seed, script, faults, core, () => settings);
  await run.scheduler.run(() => edges.idle, Number.POSITIVE_INFINITY, maxSteps);
  await run.scheduler.run(() => false, run.scheduler.now + untilAllEnded, maxSteps);
  return run;
}

function prepare(
  seed: number,
  script: Script,
  faults: Faults,
  core: CoreConstructor,
  settings: () => PartitionSettings,
): { readonly run: Run; readonly edges: Edges; readonly world: World } {
  const scheduler = new Scheduler(startsAt);
  const log = new MemoryLog();
  const history = new ProduceHistory(log);
  const world = { scheduler, log, faults, history };
  const host = new ObjectHost(world, core, settings);
  const edges = new Edges(world, host, topicPrefix);
  for (const write of script.writes) edges.plan(write);
  faults.counts["event sent twice"] = script.repeated;
  const run = { seed, script, counts: faults.counts, log, host, scheduler, history, edges };
  return { run, edges, world };
}

/** Whether a topic was made again, which stops the object for good. */
export function isReplaced({ counts }: Run): boolean {
  return counts["topic made again"] > 0;
}

/** Whether the log deleted from its start, so that a rebuild has another history than a life before. */
export function isShortened({ counts }: Run): boolean {
  return counts.retention > 0;
}

/** Reads a log to its end with a fresh object, in order, with no pushes and no faults. */
export async function replay(
  log: MemoryLog,
  core: CoreConstructor,
  at: number,
): Promise<{ readonly host: ObjectHost; readonly history: ProduceHistory }> {
  const scheduler = new Scheduler(at);
  const history = new ProduceHistory(log);
  const faults = new Faults(calmPlan, new Random(0), false);
  const host = new ObjectHost({ scheduler, log, faults, history }, core, () => replaySettings);
  await drain(scheduler, host, log, 0);
  return { host, history };
}

/** A replay's own settings count for nothing: the journal's do. */
const replaySettings: PartitionSettings = {
  topicPrefix,
  closeGraceMs: 7_777,
  earlyBidWaitMs: 77_777,
  retentionMs: 7_777_777,
  produceTimeoutMs: 1_500,
};

function drawSettings(random: Random): PartitionSettings {
  return {
    topicPrefix,
    closeGraceMs: random.pick([0, 500, 2_000]),
    earlyBidWaitMs: random.pick([2_000, 60_000, 3_600_000]),
    retentionMs: random.pick([90_000_000, 604_800_000]),
    produceTimeoutMs: 1_500,
  };
}

/** The scheduled sweep: wakes the object now and then, whatever else happens. */
function sweep(scheduler: Scheduler, host: ObjectHost, interval: () => number): () => void {
  let stopped = false;
  const next = (): void =>
    scheduler.after(interval(), () => {
      if (stopped) return;
      host.call((core) => core.wake()).catch(() => {});
      next();
    });
  next();
  return () => {
    stopped = true;
  };
}

/** Runs on for a time, and until the object has applied and sent everything. */
async function drain(scheduler: Scheduler, host: ObjectHost, log: MemoryLog, atLeast: number): Promise<void> {
  const until = scheduler.now + atLeast;
  let status: PartitionStatus | undefined;
  for (let round = 0; round < 40; round += 1) {
    status = await scheduler.finish(host.call((core) => core.wake()));
    if (isDrained(status, log) && scheduler.now >= until) return;
    await scheduler.run(() => false, scheduler.now + 30_000, maxSteps);
  }
  throw new Error(`stands still: ${JSON.stringify(status)}`);
}

function isDrained(status: PartitionStatus, log: MemoryLog): boolean {
  // Behind the last record nothing tells that more offsets were given but the log itself.
  const reached = (topic: string, position: number): boolean =>
    position >= (log.tells ? log.end(topic) : (log.records(topic).at(-1)?.offset ?? -1) + 1);
  return (
    status.outbox === 0 &&
    reached(topicPrefix + topics.journal, status.journal.position) &&
    reached(topicPrefix + topics.items, status.items.position)
  );
}

import { cpuTimes } from "../harness/cpu.ts";
import type { Benchmark, BenchmarkOptions, Figure } from "../harness/figures.ts";
import { profileOf } from "../harness/profile.ts";
import { type RunningWorker, type System, withSystem } from "../harness/system.ts";
import { fillPartition } from "./fill.ts";
import { type FunctionCounters, GroupObject } from "./group-object.ts";

const records = 100_000;

/**
 * (f1) How fast one partition hands a full log to a function that does nothing, in its batches:
 * in process, and behind a service binding. Read from the bridge; the clock stops when the function
 * has answered for the last record.
 */
export const rate: Benchmark = {
  title: "(f1) a no-op function on one partition, in batches",
  run: (options) => withSystem((system) => measure(system, options), systemOptions),
};

const systemOptions = { variables: { PARTITION_COUNT: "1" }, workers: ["functions"] as const };

interface Turn {
  readonly rate: number;
  /** Microseconds of the runtime's CPU a record. */
  readonly cpu: number;
  readonly counters: FunctionCounters;
}

async function measure(system: System, options: BenchmarkOptions): Promise<Figure[]> {
  const { progress, rounds, scale } = options;
  await system.startBridge();
  const worker = await system.startWorker("functions", options);
  const count = Math.round(records * scale);
  await fillPartition(system, count);
  const turns = { inprocess: [] as Turn[], bound: [] as Turn[] };
  const profile = await profileOf(worker, options, "functions-rate");
  for (let round = 0; round <= rounds; round += 1) {
    for (const kind of ["inprocess", "bound"] as const) {
      const turn = await takeTurn(system, worker, `${kind}-${round}`, count);
      progress(`${round === 0 ? "warm-up" : `round ${round}`}, ${kind}: ${Math.round(turn.rate)}/s`);
      // The first of each kind warms it up.
      if (round > 0) turns[kind].push(turn);
    }
  }
  await profile.stop();
  return [
    ...figuresOf("in process", turns.inprocess, 50_000, count),
    ...figuresOf("by service binding", turns.bound, 20_000, count),
  ];
}

async function takeTurn(system: System, worker: RunningWorker, group: string, count: number): Promise<Turn> {
  const object = await GroupObject.open(worker.url, `${group}/0`);
  const before = cpuTimes(system.bridge, worker).workerd;
  const startedAt = performance.now();
  await object.wake();
  await object.untilFinished(count);
  const seconds = (performance.now() - startedAt) / 1000;
  const cpu = (1000 * (cpuTimes(system.bridge, worker).workerd - before)) / count;
  const counters = await object.counters();
  object.close();
  return { rate: count / seconds, cpu, counters };
}

function figuresOf(name: string, turns: readonly Turn[], atLeast: number, count: number): Figure[] {
  const of = (pick: (turn: Turn) => number): number[] => turns.map(pick);
  return [
    { name, unit: "events/s", values: of((turn) => turn.rate), goal: { atLeast } },
    { name: "  CPU of workerd", unit: "µs/event", values: of(({ cpu }) => cpu) },
    { name: "  events a call", unit: "", values: of(({ counters }) => count / counters.invocations) },
    {
      name: "  rows written",
      unit: "a call",
      values: of(({ counters: { invocations, rowsWritten } }) => rowsWritten / invocations),
    },
    { name: "  rows written", unit: "an event", values: of(({ counters }) => counters.rowsWritten / count) },
  ];
}

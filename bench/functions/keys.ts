import { setTimeout as sleep } from "node:timers/promises";
import { cpuTimes } from "../harness/cpu.ts";
import type { Benchmark, BenchmarkOptions, Figure } from "../harness/figures.ts";
import { profileOf } from "../harness/profile.ts";
import { type RunningWorker, type System, withSystem } from "../harness/system.ts";
import { fillPartition } from "./fill.ts";
import { type FunctionCounters, GroupObject } from "./group-object.ts";
import { Receiver } from "./receiver.ts";

const records = 60_000;
const secondsPerTurn = 8;
const warmUpSeconds = 3;

/**
 * (f2) Deliveries by HTTP from one partition, a request a record, to an endpoint that takes 5 ms:
 * 1,000 keys side by side against the partition as one lane. The receiver checks the order.
 */
export const keys: Benchmark = {
  title: "(f2) HTTP deliveries, a request a record, an endpoint that takes 5 ms",
  async run(options) {
    const receiver = await Receiver.start();
    try {
      const variables = { PARTITION_COUNT: "1", RECEIVER_URL: receiver.url };
      const system = { variables, workers: ["functions"] as const };
      return await withSystem((running) => measure(running, receiver, options), system);
    } finally {
      await receiver.stop();
    }
  },
};

interface Turn {
  readonly rate: number;
  /** Microseconds of the runtime's CPU a delivery. */
  readonly cpu: number;
  readonly counters: FunctionCounters;
}

async function measure(system: System, receiver: Receiver, options: BenchmarkOptions): Promise<Figure[]> {
  const { progress, rounds, scale } = options;
  await system.startBridge();
  const worker = await system.startWorker("functions", options);
  await fillPartition(system, records);
  const turns = { keyed: [] as Turn[], ordered: [] as Turn[] };
  for (const kind of ["keyed", "ordered"] as const)
    await takeTurn(system, worker, receiver, `${kind}-0`, warmUpSeconds * scale);
  const profile = await profileOf(worker, options, "functions-keys");
  for (let round = 1; round <= rounds; round += 1) {
    for (const kind of ["keyed", "ordered"] as const)
      turns[kind].push(await takeTurn(system, worker, receiver, `${kind}-${round}`, secondsPerTurn * scale));
    const told = [turns.keyed, turns.ordered].map((all) => Math.round(all.at(-1)?.rate ?? 0));
    progress(`round ${round}: ${told[0]}/s by key, ${told[1]}/s by partition`);
  }
  await profile.stop();
  return figuresOf(turns.keyed, turns.ordered);
}

/** Drives a group from the log's start for a while, and pauses it. */
async function takeTurn(
  system: System,
  worker: RunningWorker,
  receiver: Receiver,
  group: string,
  seconds: number,
): Promise<Turn> {
  const object = await GroupObject.open(worker.url, `${group}/0`);
  const waking = await GroupObject.open(worker.url, `${group}/0`);
  const before = cpuTimes(system.bridge, worker).workerd;
  const wake = waking.wake();
  await sleep(1000 * seconds);
  await object.pause();
  const counters = await object.counters();
  // What it does no more it need not finish.
  await wake;
  for (const connection of [object, waking]) connection.close();
  const { times } = await receiver.take();
  const [first = 0] = times;
  const cpu = (1000 * (cpuTimes(system.bridge, worker).workerd - before)) / times.length;
  return { rate: (1000 * times.length) / ((times.at(-1) ?? 0) - first), cpu, counters };
}

function figuresOf(keyed: readonly Turn[], ordered: readonly Turn[]): Figure[] {
  const rates = (turns: readonly Turn[]): number[] => turns.map(({ rate }) => rate);
  return [
    { name: "order by key, 1,000 keys", unit: "deliveries/s", values: rates(keyed) },
    ...costsOf(keyed),
    { name: "order by partition", unit: "deliveries/s", values: rates(ordered) },
    ...costsOf(ordered),
    {
      name: "by key : by partition",
      unit: "ratio",
      values: rates(keyed).map((value, round) => value / (rates(ordered)[round] ?? Number.NaN)),
      goal: { atLeast: 8 },
    },
  ];
}

function costsOf(turns: readonly Turn[]): Figure[] {
  const perCall = (count: (counters: FunctionCounters) => number): number[] =>
    turns.map(({ counters }) => count(counters) / counters.invocations);
  return [
    { name: "  CPU of workerd", unit: "µs/delivery", values: turns.map(({ cpu }) => cpu) },
    { name: "  transactions", unit: "a call", values: perCall(({ transactions }) => transactions) },
    { name: "  rows written", unit: "a call", values: perCall(({ rowsWritten }) => rowsWritten) },
  ];
}

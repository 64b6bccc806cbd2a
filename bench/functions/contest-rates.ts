import { setTimeout as sleep } from "node:timers/promises";
import { topics } from "../../src/topics.ts";
import { cpuOf, cpuTimes } from "../harness/cpu.ts";
import type { BenchmarkOptions, Figure } from "../harness/figures.ts";
import { profileOf } from "../harness/profile.ts";
import { type RunningWorker, type System, withSystem } from "../harness/system.ts";
import { makeBids, partitionCount } from "../kafka/bids.ts";
import { fillTopic } from "../kafka/fill.ts";
import { ratios } from "../kafka/produce.ts";
import { type Contest, inTurn } from "./contest.ts";
import { GroupObject } from "./group-object.ts";
import type { Receiver } from "./receiver.ts";

const records = 20_000;
const pollMs = 50;
/** Without any arrival for so long, a peer does not come to the end. */
const patienceMs = 60_000;

/** Records a second, and microseconds of CPU a record of whoever drives: workerd, or Restate's server. */
interface Rate {
  readonly rate: number;
  readonly cpu: number;
}

export interface Rates {
  readonly gavel: Rate[];
  readonly batched: Rate[];
  readonly restate: Rate[];
}

/** The same records, which are there before either begins. */
export function measureRates(contest: Contest, options: BenchmarkOptions): Promise<Rates> {
  const { receiver, setting } = contest;
  const count = Math.round(records * options.scale);
  const { kafka } = setting.systemFor("functions", ["functions"]);
  if (kafka === undefined) throw new TypeError("this benchmark is over Kafka");
  return withSystem(
    async (system) => {
      await system.startBridge();
      const worker = await system.startWorker("functions", options);
      const topic = `${kafka.topicPrefix}${topics.journal}`;
      await fillTopic(setting, topic, makeBids(count));
      return takeTurns(contest, { system, worker, topic, count }, options);
    },
    { workers: ["functions"], kafka, variables: { RECEIVER_URL: receiver.url } },
  );
}

interface Filled {
  readonly system: System;
  readonly worker: RunningWorker;
  readonly topic: string;
  readonly count: number;
}

async function takeTurns(
  { peer, receiver }: Contest,
  filled: Filled,
  options: BenchmarkOptions,
): Promise<Rates> {
  const { count, system, topic, worker } = filled;
  const rates: Rates = { gavel: [], batched: [], restate: [] };
  const gavel = (group: string) => () => wakeAll(worker.url, group);
  const workerd = (): number => cpuTimes(system.bridge, worker).workerd;
  const profile = await profileOf(worker, options, "functions-restate");
  for (let round = 0; round <= options.rounds; round += 1) {
    const results = await inTurn(
      {
        gavel: () => timed(receiver, count, gavel(`stateful-${round}`), workerd),
        batched: () => timed(receiver, count, gavel(`batched-${round}`), workerd),
        restate: async () =>
          peer &&
          timed(
            peer.service,
            count,
            () => peer.subscribe(topic),
            () => cpuOf(peer.pid),
          ),
      },
      round,
    );
    const told = [results.gavel, results.batched, results.restate].map((result) =>
      result === undefined ? "-" : Math.round(result.rate),
    );
    options.progress(
      `${round === 0 ? "warm-up" : `round ${round}`}: Gavel, batched, Restate ${told.join(", ")}/s`,
    );
    if (round === 0) continue;
    rates.gavel.push(results.gavel);
    rates.batched.push(results.batched);
    if (results.restate !== undefined) rates.restate.push(results.restate);
  }
  await profile.stop();
  return rates;
}

/** Has every partition of a group read its topic. */
async function wakeAll(url: string, group: string): Promise<void> {
  const names = Array.from({ length: partitionCount }, (_, partition) => `${group}/${partition}`);
  for (const name of names) {
    const object = await GroupObject.open(url, name);
    // It answers when it has read everything, which the arrivals tell as well.
    void object.wake().finally(() => object.close());
  }
}

/** From the first call to the last one's begin. @throws {Error} when a record does not come */
async function timed(
  receiver: Receiver,
  count: number,
  begin: () => Promise<void>,
  cpu: () => number,
): Promise<Rate> {
  const before = cpu();
  await begin();
  const times: number[] = [];
  for (let heardAt = performance.now(); times.length < count; await sleep(pollMs)) {
    const arrivals = await receiver.take();
    if (arrivals.times.length > 0) heardAt = performance.now();
    for (const time of arrivals.times) times.push(time);
    if (performance.now() - heardAt > patienceMs) throw new Error(`${times.length} of ${count} records came`);
  }
  const [first = 0] = times;
  return { rate: (1000 * count) / ((times.at(-1) ?? 0) - first), cpu: (1000 * (cpu() - before)) / count };
}

export function rateFigures({ batched, gavel, restate }: Rates, peer: string): Figure[] {
  const rates = (of: readonly Rate[]): number[] => of.map(({ rate }) => rate);
  const cpu = (of: readonly Rate[]): number[] => of.map((one) => one.cpu);
  return [
    { name: "Gavel, a record a call", unit: "records/s", values: rates(gavel) },
    { name: "  CPU of workerd", unit: "µs/record", values: cpu(gavel) },
    { name: peer, unit: "records/s", values: rates(restate) },
    { name: "  CPU of its server", unit: "µs/record", values: cpu(restate) },
    {
      name: "Gavel's rate : Restate's",
      unit: "ratio",
      values: ratios(rates(gavel), rates(restate)),
      goal: { atLeast: 4 },
    },
    { name: "Gavel, up to 100 records a call", unit: "records/s", values: rates(batched) },
    { name: "  CPU of workerd", unit: "µs/record", values: cpu(batched) },
    {
      name: "what batching adds: its rate : a record a call",
      unit: "ratio",
      values: ratios(rates(batched), rates(gavel)),
    },
  ];
}

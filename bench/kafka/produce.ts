import { cpuOf } from "../harness/cpu.ts";
import type { BenchmarkOptions, Figure } from "../harness/figures.ts";
import { quantile } from "../harness/statistics.ts";
import { type System, withSystem } from "../harness/system.ts";
import { type KafkaBenchmark, noStrimzi } from "./benchmark.ts";
import {
  type BidProducer,
  bridgeProducer,
  type CallSize,
  libraryProducer,
  strimziProducer,
} from "./producers.ts";
import type { Setting } from "./setting.ts";

const secondsPerTurn = 5;
const warmUpSeconds = 10;

/**
 * (k1) Single records at 64 connections: Gavel's bridge, Strimzi's, and the client library in the
 * benchmark's own process with as many sends under way. All take turns within a round.
 */
export const single: KafkaBenchmark = {
  title: "(k1) single records, 64 at a time",
  run: (setting, options) =>
    withPeers(setting, options, "single", async (peers) => {
      const results = await takeTurns(peers, { size: 1, inFlight: 64 }, setting, options);
      return [...peerFigures(results, "req/s"), ...singleGoals(results)];
    }),
};

/** (k2) Batches of 1,000 records, by the same three. */
export const batch: KafkaBenchmark = {
  title: "(k2) batches of 1,000 records",
  run: (setting, options) =>
    withPeers(setting, options, "batch", async (peers) => {
      const figures: Figure[] = [];
      for (const inFlight of [1, 4, 16]) {
        const results = await takeTurns(peers, { size: 1_000, inFlight }, setting, options);
        figures.push(...peerFigures(results, "records/s"), ...batchGoals(results));
      }
      return figures;
    }),
};

interface Peers {
  readonly system: System;
  readonly bridge: BidProducer;
  readonly strimzi: BidProducer | undefined;
  readonly library: BidProducer;
}

async function withPeers(
  setting: Setting,
  options: BenchmarkOptions,
  name: string,
  body: (peers: Peers) => Promise<Figure[]>,
): Promise<Figure[]> {
  const topic = await setting.makeTopic(`${name}.shared`);
  return withSystem(async (system) => {
    await system.startBridge(options);
    const bridge = bridgeProducer(system, topic);
    const strimzi = strimziProducer(setting, topic);
    const library = libraryProducer(setting, topic);
    try {
      return await body({ system, bridge, strimzi, library });
    } finally {
      for (const peer of [bridge, strimzi, library]) await peer?.close();
    }
  }, setting.systemFor(name));
}

interface Shape {
  readonly size: CallSize;
  readonly inFlight: number;
}

/** What one peer reached, round by round. CPU is microseconds a record, of all brokers together. */
interface Result {
  readonly name: string;
  readonly rates: number[];
  readonly p50: number[];
  readonly p99: number[];
  readonly bridgeCpu: number[];
  readonly brokerCpu: number[];
}

type Results = Readonly<Record<"bridge" | "strimzi" | "library", Result>> & { readonly shape: Shape };

async function takeTurns(
  { system, bridge, strimzi, library }: Peers,
  shape: Shape,
  setting: Setting,
  { scale, rounds, progress }: BenchmarkOptions,
): Promise<Results> {
  const cpu = (): [number, number] => [
    cpuOf(system.bridge.pid),
    setting.brokerPids.reduce((sum, pid) => sum + cpuOf(pid), 0),
  ];
  const results = {
    shape,
    bridge: emptyResult(bridge.name),
    strimzi: emptyResult(strimzi?.name ?? noStrimzi),
    library: emptyResult(library.name),
  };
  const turns = [
    [bridge, results.bridge],
    [strimzi, results.strimzi],
    [library, results.library],
  ] as const;
  for (const [peer] of turns) await peer?.load(shape.size, shape.inFlight, 1000 * warmUpSeconds * scale);
  for (let round = 1; round <= rounds; round += 1) {
    for (const [peer, result] of turns) {
      if (peer !== undefined) await takeTurn(peer, result, shape, 1000 * secondsPerTurn * scale, cpu);
    }
    const told = turns.map(([, { rates }]) => Math.round(rates.at(-1) ?? Number.NaN));
    progress(`${shape.inFlight} in flight, round ${round}: bridge, Strimzi, library ${told.join(", ")}/s`);
  }
  return results;
}

async function takeTurn(
  peer: BidProducer,
  result: Result,
  { size, inFlight }: Shape,
  milliseconds: number,
  cpu: () => [number, number],
): Promise<void> {
  const before = cpu();
  const { answered, seconds, latencies } = await peer.load(size, inFlight, milliseconds);
  const after = cpu();
  const records = answered * size;
  result.rates.push(records / seconds);
  result.p50.push(quantile(latencies, 0.5));
  result.p99.push(quantile(latencies, 0.99));
  result.bridgeCpu.push((1000 * (after[0] - before[0])) / records);
  result.brokerCpu.push((1000 * (after[1] - before[1])) / records);
}

function emptyResult(name: string): Result {
  return { name, rates: [], p50: [], p99: [], bridgeCpu: [], brokerCpu: [] };
}

function peerFigures({ bridge, strimzi, library, shape }: Results, unit: string): Figure[] {
  return [bridge, strimzi, library].flatMap((result) => [
    { name: `${result.name}, ${shape.inFlight} in flight`, unit, values: result.rates },
    ...(result.rates.length === 0 ? [] : detailsOf(result, result === bridge)),
  ]);
}

function detailsOf({ p50, p99, bridgeCpu, brokerCpu }: Result, isBridge: boolean): Figure[] {
  const unit = "µs/record";
  return [
    { name: "  p50 of a call", unit: "ms", values: p50 },
    { name: "  p99 of a call", unit: "ms", values: p99 },
    ...(isBridge ? [{ name: "  CPU of the bridge", unit, values: bridgeCpu }] : []),
    // Of a broker that is not the run's own nothing is known.
    ...(brokerCpu.every((cpu) => cpu > 0) ? [{ name: "  CPU of the broker", unit, values: brokerCpu }] : []),
  ];
}

function singleGoals({ bridge, strimzi, library }: Results): Figure[] {
  return [
    {
      name: "the bridge's rate : Strimzi's",
      unit: "ratio",
      values: ratios(bridge.rates, strimzi.rates),
      goal: { atLeast: 3 },
    },
    {
      name: "the bridge's p99 : Strimzi's",
      unit: "ratio",
      values: ratios(bridge.p99, strimzi.p99),
      goal: { atMost: 0.25 },
    },
    { name: "the bridge's rate : the library's", unit: "ratio", values: ratios(bridge.rates, library.rates) },
  ];
}

function batchGoals({ bridge, strimzi, library, shape }: Results): Figure[] {
  const at = `${shape.inFlight} in flight`;
  return [
    {
      name: `the bridge : the library, ${at}`,
      unit: "ratio",
      values: ratios(bridge.rates, library.rates),
      goal: { atLeast: 0.5 },
    },
    { name: `the bridge : Strimzi's, ${at}`, unit: "ratio", values: ratios(bridge.rates, strimzi.rates) },
  ];
}

/** Of the same round: a slow moment of the machine is in both terms. */
export function ratios(of: readonly number[], to: readonly number[]): number[] {
  return to.map((value, round) => (of[round] ?? Number.NaN) / value);
}

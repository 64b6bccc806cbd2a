import { listItems } from "./harness/auctions.ts";
import { requestMaker } from "./harness/connection.ts";
import { type CpuTimes, cpuPerEvent, cpuTimes } from "./harness/cpu.ts";
import { bidBody, bidderOf } from "./harness/events.ts";
import type { Benchmark, BenchmarkOptions, Figure } from "./harness/figures.ts";
import { untilApplied } from "./harness/lag.ts";
import { closedLoop } from "./harness/load.ts";
import { profileOf } from "./harness/profile.ts";
import { quantile } from "./harness/statistics.ts";
import { type RunningWorker, type System, withSystem } from "./harness/system.ts";

const itemCount = 10_000;
const eventsPerRequest = 1_000;
/** Connections, each with one batch under way. */
export const connections = 4;
const secondsPerTurn = 5;
const warmUpSeconds = 6;
const auctionMs = 60 * 60 * 1000;

/**
 * (b) Batches of 1,000 bids until acknowledged: the whole of Gavel, whose objects apply and send
 * outputs meanwhile, and in turn with it the edge without them.
 */
export const batch: Benchmark = {
  title: "(b) batches of 1,000 bids until acknowledged",
  run: (options) => withSystem((system) => measure(system, options)),
};

export interface Turn {
  readonly rate: number;
  readonly p50: number;
  readonly p99: number;
  readonly cpu: CpuTimes;
  /** Batches answered 503. */
  readonly refused: number;
  /** Events per second with the time that the objects needed to catch up. */
  readonly applied: number;
}

async function measure(system: System, options: BenchmarkOptions): Promise<Figure[]> {
  await system.startBridge();
  const whole = await system.startWorker("gavel", options);
  const edge = await system.startWorker("edge-only");
  await openItems(system, whole);
  const turns = { whole: [] as Turn[], edge: [] as Turn[] };
  await takeTurn(system, edge, warmUpSeconds);
  await takeTurn(system, whole, warmUpSeconds);
  await untilApplied(system, whole.url);
  const profile = await profileOf(whole, options, "batch");
  for (let round = 1; round <= options.rounds; round += 1) {
    turns.edge.push(await takeTurn(system, edge, secondsPerTurn * options.scale));
    turns.whole.push(await takeTurn(system, whole, secondsPerTurn * options.scale, whole.url));
    const told = [turns.whole, turns.edge].map((list) => Math.round(list.at(-1)?.rate ?? 0));
    options.progress(`round ${round}: whole ${told[0]} events/s, edge without apply ${told[1]}`);
  }
  await profile.stop();
  return figuresOf(turns.whole, turns.edge);
}

/** Lists the items that the batches' bids are on. */
export async function openItems(system: System, { url }: RunningWorker): Promise<void> {
  const itemIds = Array.from({ length: itemCount }, (_, index) => `item-${index}`);
  await listItems(url, system.key(), itemIds, Date.now() + auctionMs);
}

/** Sends batches for some seconds; with `readFrom`, waits until they are applied as well. */
export async function takeTurn(
  system: System,
  worker: RunningWorker,
  seconds: number,
  readFrom?: string,
): Promise<Turn> {
  const next = batches(worker.url, system.key());
  const before = cpuTimes(system.bridge, worker);
  const startedAt = performance.now();
  const load = await closedLoop({
    url: worker.url,
    connections,
    milliseconds: 1000 * seconds,
    status: 202,
    countsRefusals: true,
    next,
  });
  if (readFrom !== undefined) await untilApplied(system, readFrom);
  const events = load.answered * eventsPerRequest;
  return {
    rate: events / load.seconds,
    refused: load.refused,
    p50: quantile(load.latencies, 0.5),
    p99: quantile(load.latencies, 0.99),
    applied: (1000 * events) / (performance.now() - startedAt),
    cpu: cpuPerEvent(before, cpuTimes(system.bridge, worker), events),
  };
}

let bids = 0;

function batches(url: string, key: string): () => string {
  const headers = {
    authorization: `Bearer ${key}`,
    "content-type": "application/json",
    prefer: "return=minimal",
  };
  const post = requestMaker("POST", `${url}/v1/bids`, headers);
  return () => {
    const bodies: string[] = [];
    for (let index = 0; index < eventsPerRequest; index += 1) {
      bids += 1;
      bodies.push(bidBody(`item-${bids % itemCount}`, bidderOf(bids), 100 + bids));
    }
    return post(`[${bodies.join(",")}]`);
  };
}

function figuresOf(whole: readonly Turn[], edge: readonly Turn[]): Figure[] {
  const cpu = (turns: readonly Turn[], part: keyof CpuTimes): number[] => turns.map((turn) => turn.cpu[part]);
  return [
    {
      name: "whole, until acknowledged",
      unit: "events/s",
      values: whole.map(({ rate }) => rate),
      goal: { atLeast: 100_000 },
    },
    { name: "  p50 of a batch", unit: "ms", values: whole.map(({ p50 }) => p50) },
    { name: "  p99 of a batch", unit: "ms", values: whole.map(({ p99 }) => p99) },
    { name: "  until applied", unit: "events/s", values: whole.map(({ applied }) => applied) },
    { name: "  batches answered 503", unit: "", values: whole.map(({ refused }) => refused) },
    { name: "  CPU of workerd", unit: "µs/event", values: cpu(whole, "workerd") },
    { name: "  CPU of the bridge", unit: "µs/event", values: cpu(whole, "bridge") },
    { name: "  CPU of the client", unit: "µs/event", values: cpu(whole, "client") },
    {
      name: "edge without apply, until acknowledged",
      unit: "events/s",
      values: edge.map(({ rate }) => rate),
      goal: { atLeast: 100_000 },
    },
    { name: "  p50 of a batch", unit: "ms", values: edge.map(({ p50 }) => p50) },
    { name: "  CPU of workerd", unit: "µs/event", values: cpu(edge, "workerd") },
    { name: "  CPU of the bridge", unit: "µs/event", values: cpu(edge, "bridge") },
  ];
}

import type { Benchmark, BenchmarkOptions, Figure } from "./harness/figures.ts";
import { bidRequests, listItems } from "./harness/auctions.ts";
import { basicAuthorization } from "./harness/bridge-client.ts";
import { requestMaker } from "./harness/connection.ts";
import { type CpuTimes, cpuPerEvent, cpuTimes } from "./harness/cpu.ts";
import { closedLoop } from "./harness/load.ts";
import { profileOf } from "./harness/profile.ts";
import { RecordFactory } from "./harness/records.ts";
import { quantile } from "./harness/statistics.ts";
import { type RunningProcess, type RunningWorker, type System, withSystem } from "./harness/system.ts";

const itemCount = 1_000;
const partitionCount = 8;
const secondsPerTurn = 3;
// After three, a Worker of this size is still being compiled for a third of its time.
const warmUpSeconds = 20;
const connectionCounts = [32, 64] as const;
const auctionMs = 60 * 60 * 1000;

/**
 * (a) Single bids against a bare Hono Worker that hands the same record to the same bridge: what
 * the edge costs, and what push and apply cost on top. The variants take turns within a round, so
 * that whatever else the machine does meets all of them.
 */
export const single: Benchmark = {
  title: "(a) single bids",
  run: (options) => withSystem((system) => measure(system, options)),
};

interface Variant {
  readonly name: string;
  readonly server: RunningProcess | RunningWorker;
  readonly next: () => string;
}

async function measure(system: System, options: BenchmarkOptions): Promise<Figure[]> {
  await system.startBridge();
  const sink = await system.startSink();
  const variants: readonly Variant[] = [
    {
      name: "client alone (node:http sink)",
      server: sink,
      next: bidRequests(sink.url, system.key(), itemCount),
    },
    await forwarder(system, options),
    await edgeOnly(system, options),
    await whole(system, options),
  ];
  const figures: Figure[] = [];
  for (const { server, next } of variants) {
    await closedLoop({
      url: server.url,
      connections: 32,
      milliseconds: 1000 * warmUpSeconds,
      status: 202,
      next,
    });
  }
  for (const connections of connectionCounts)
    figures.push(...(await compare(system, variants, connections, options)));
  for (const variant of variants) await profileTurn(variant, options);
  return figures;
}

/** One more turn under the profiler, where a profile is asked for: none of the figures is of it. */
async function profileTurn({ name, server, next }: Variant, options: BenchmarkOptions): Promise<void> {
  if (options.profiles === undefined || !("inspectorPort" in server)) return;
  console.log(`profile of ${name}`);
  const profile = await profileOf(server, options, `single-${name.replaceAll(/[ ,]+/g, "-")}`);
  const milliseconds = 1000 * secondsPerTurn;
  await closedLoop({ url: server.url, connections: 32, milliseconds, status: 202, next });
  await profile.stop();
}

/** Rounds of one number of connections, every variant once in each. */
async function compare(
  system: System,
  variants: readonly Variant[],
  connections: number,
  { rounds, scale, progress }: BenchmarkOptions,
): Promise<Figure[]> {
  const results = variants.map((): Results => ({ rates: [], p50: [], p99: [], cpu: [] }));
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, { server, next }] of variants.entries()) {
      const milliseconds = 1000 * secondsPerTurn * scale;
      const before = cpuTimes(system.bridge, server);
      const load = await closedLoop({ url: server.url, connections, milliseconds, status: 202, next });
      const cpu = cpuPerEvent(before, cpuTimes(system.bridge, server), load.answered);
      results[index]?.rates.push(load.answered / load.seconds);
      results[index]?.p50.push(quantile(load.latencies, 0.5));
      results[index]?.p99.push(quantile(load.latencies, 0.99));
      results[index]?.cpu.push(cpu);
    }
    const rates = results.map(({ rates: all }) => Math.round(all.at(-1) ?? 0));
    progress(`${connections} connections, round ${round + 1}: ${rates.join(", ")} req/s`);
  }
  return [
    ...variants.flatMap(({ name }, index) => figuresOf(name, connections, results[index])),
    ...ratios(results, connections),
  ];
}

interface Results {
  readonly rates: number[];
  readonly p50: number[];
  readonly p99: number[];
  readonly cpu: CpuTimes[];
}

function figuresOf(name: string, connections: number, results: Results | undefined): Figure[] {
  const at = `${name}, ${connections} connections`;
  return [
    { name: at, unit: "req/s", values: results?.rates ?? [] },
    { name: "  p50", unit: "ms", values: results?.p50 ?? [] },
    { name: "  p99", unit: "ms", values: results?.p99 ?? [] },
    {
      name: "  CPU of workerd",
      unit: "µs/request",
      values: (results?.cpu ?? []).map(({ workerd }) => workerd),
    },
    {
      name: "  CPU of the bridge",
      unit: "µs/request",
      values: (results?.cpu ?? []).map(({ bridge }) => bridge),
    },
  ];
}

/** Of the same round: a slow moment of the machine is in both terms. */
function ratios([, forwarded, edge, all]: readonly Results[], connections: number): Figure[] {
  const ratio = (of?: Results): number[] =>
    (of?.rates ?? []).map((rate, round) => rate / (forwarded?.rates[round] ?? Number.NaN));
  return [
    {
      name: `edge path without apply : forwarder, ${connections} connections`,
      unit: "ratio",
      values: ratio(edge),
      goal: { atLeast: 0.75 },
    },
    {
      name: `whole : forwarder, ${connections} connections`,
      unit: "ratio",
      values: ratio(all),
      goal: { atLeast: 0.6 },
    },
  ];
}

/** Its requests hold the record that Gavel would make of the bid. */
async function forwarder(system: System, options: BenchmarkOptions): Promise<Variant> {
  const server = await system.startWorker("forwarder", options);
  const post = requestMaker("POST", `${server.url}/produce`, {
    authorization: basicAuthorization(system),
    "content-type": "application/json",
  });
  const now = Date.now();
  const records = Array.from({ length: partitionCount }, (_, partition) =>
    JSON.stringify([
      new RecordFactory(partition, system.topicPrefix("forwarder")).bid(
        `item-${partition}`,
        "bidder-1",
        1000,
        now,
      ),
    ]),
  );
  let count = 0;
  return { name: "forwarder", server, next: () => post(records[(count += 1) % partitionCount] ?? "") };
}

async function edgeOnly(system: System, options: BenchmarkOptions): Promise<Variant> {
  const server = await system.startWorker("edge-only", options);
  return { name: "edge path without apply", server, next: bidRequests(server.url, system.key(), itemCount) };
}

async function whole(system: System, options: BenchmarkOptions): Promise<Variant> {
  const server = await system.startWorker("gavel", options);
  const itemIds = Array.from({ length: itemCount }, (_, index) => `item-${index}`);
  await listItems(server.url, system.key(), itemIds, Date.now() + auctionMs);
  return { name: "whole, push and apply", server, next: bidRequests(server.url, system.key(), itemCount) };
}

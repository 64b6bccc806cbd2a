import { bidRequests } from "./harness/auctions.ts";
import { Connection, requestMaker } from "./harness/connection.ts";
import { cpuPerEvent, cpuTimes } from "./harness/cpu.ts";
import type { Benchmark, BenchmarkOptions, Figure } from "./harness/figures.ts";
import { closedLoop, expectStatus } from "./harness/load.ts";
import { type RunningProcess, type System, withSystem } from "./harness/system.ts";

const itemCount = 1_000;
const connections = 32;
const secondsPerTurn = 3;
const timesPerTurn = 100_000;
const warmUpTimes = 20_000;

/**
 * (h) What each layer of the edge costs a single bid: the layer alone, so often that the runtime's CPU
 * time tells one run of it, as a share of what a whole request takes of the same runtime in the same
 * round. Layers that answer at once from memory, as they do while a client goes on.
 */
export const layers: Benchmark = {
  title: "(h) layers of a single bid",
  run: (options) => withSystem((system) => measure(system, options)),
};

async function measure(system: System, options: BenchmarkOptions): Promise<Figure[]> {
  await system.startBridge();
  const edge = await system.startWorker("edge-only");
  const worker = await system.startWorker("layers");
  const connection = await Connection.open(worker.url);
  const ask = (query: string) =>
    connection.send(
      requestMaker("POST", `${worker.url}/bench/layer?${query}`, {
        authorization: `Bearer ${system.key()}`,
      })(" "),
    );
  const names = JSON.parse((await ask("")).body.toString()) as string[];
  const costOf = async (name: string, times: number): Promise<number> => {
    const before = cpuTimes(system.bridge, worker);
    expectStatus(await ask(`name=${encodeURIComponent(name)}&times=${times}`), 200);
    return cpuPerEvent(before, cpuTimes(system.bridge, worker), times).workerd;
  };
  for (const name of names) await costOf(name, warmUpTimes);
  await requestCost(system, edge, options);
  const whole: number[] = [];
  const alone = new Map(names.map((name) => [name, [] as number[]]));
  for (let round = 0; round < options.rounds; round += 1) {
    whole.push(await requestCost(system, edge, options));
    for (const name of names)
      alone.get(name)?.push(await costOf(name, Math.ceil(timesPerTurn * options.scale)));
    options.progress(`round ${round + 1}: ${whole.at(-1)?.toFixed(1)} µs a request`);
  }
  connection.close();
  return figuresOf(whole, alone);
}

/** Microseconds of the runtime's CPU that a bid takes from the request to its answer, without apply. */
async function requestCost(
  system: System,
  edge: RunningProcess,
  { scale }: BenchmarkOptions,
): Promise<number> {
  const next = bidRequests(edge.url, system.key(), itemCount);
  const before = cpuTimes(system.bridge, edge);
  const milliseconds = 1000 * secondsPerTurn * scale;
  const { answered } = await closedLoop({ url: edge.url, connections, milliseconds, status: 202, next });
  return cpuPerEvent(before, cpuTimes(system.bridge, edge), answered).workerd;
}

function figuresOf(whole: readonly number[], alone: ReadonlyMap<string, readonly number[]>): Figure[] {
  const shares = [...alone].flatMap(([name, costs]): Figure[] => [
    { name, unit: "µs", values: costs },
    {
      name: "  share of a request",
      unit: "%",
      values: costs.map((cost, round) => (100 * cost) / (whole[round] ?? Number.NaN)),
    },
  ]);
  return [{ name: "a bid, until acknowledged", unit: "µs of workerd", values: whole }, ...shares];
}

import { setTimeout as sleep } from "node:timers/promises";
import { partitionFor } from "../../src/kafka/partitioner.ts";
import { listItems } from "../harness/auctions.ts";
import type { Benchmark, BenchmarkOptions, Figure } from "../harness/figures.ts";
import { quantile } from "../harness/statistics.ts";
import { type System, withSystem } from "../harness/system.ts";
import { type Acknowledged, allWaits, Bidder, type Starts } from "./bidding.ts";
import { GroupObject } from "./group-object.ts";

const bidsPerSecond = 500;
const secondsPerRound = 15;
const warmUpSeconds = 5;
const partitionCount = 8;
const auctionMs = 60 * 60 * 1000;
/** Until the warm-up's last notification has reached its function, as a rule. */
const settleMs = 1_000;

/**
 * (f3) From a bid's acknowledgement to the start of a function in process: of one that reads the
 * journal, which the edge hands the bid; and, in a system of its own, of one that reads the
 * notifications, before which the auction has decided on the bid and the log has taken what it
 * decided. Half of the bids are on a hot item. The client and the runtime have one clock, which the
 * runtime tells in whole milliseconds.
 */
export const latency: Benchmark = {
  title: "(f3) acknowledged bid to the function's start, 500 single bids/s",
  run: async (options) => {
    const figures: Figure[] = [];
    for (const [group, topic] of readings) {
      const variables = {
        READERS: group === "direct" ? "auction,direct" : "auction",
        IS_NOTIFIED: String(group === "notified"),
      };
      const workers = ["functions"] as const;
      const rounds = await withSystem((system) => measure(system, group, options), { variables, workers });
      figures.push(...figuresOf(`of the ${topic}`, rounds));
    }
    return figures;
  },
};

const readings = [
  ["direct", "journal"],
  ["notified", "notifications"],
] as const;

/** Milliseconds of each bid, a list a round. */
async function measure(system: System, name: string, options: BenchmarkOptions): Promise<number[][]> {
  const { progress, rounds, scale } = options;
  await system.startBridge();
  const { url } = await system.startWorker("functions", options);
  const itemIds = ["hot", ...itemPerPartition()];
  await listItems(url, system.key(), itemIds, Date.now() + auctionMs);
  const itemOf = (bid: number) =>
    itemIds[bid % 2 === 0 ? 0 : 1 + (((bid - 1) / 2) % partitionCount)] ?? "hot";
  const bidder = new Bidder(url, system.key(), itemOf);
  const group = await Group.open(url, name);
  const results: number[][] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const seconds = (round === 0 ? warmUpSeconds : secondsPerRound) * scale;
    const acknowledged = await bidder.run(bidsPerSecond, seconds);
    if (round === 0) {
      // Nobody is outbid by an item's first bid, so that not every one of these leads to a notification.
      await sleep(settleMs);
      continue;
    }
    const waits = await group.waits(acknowledged);
    results.push(waits);
    progress(`round ${round}: ${toldOf(name, waits)}`);
  }
  bidder.close();
  group.close();
  return results;
}

function toldOf(name: string, waits: readonly number[]): string {
  const [p50, p99] = [0.5, 0.99].map((share) => quantile(waits, share).toFixed(1));
  return `${name} p50 ${p50} ms, p99 ${p99} ms`;
}

/** The objects of a group, one per partition. */
class Group {
  readonly #objects: readonly GroupObject[];

  private constructor(objects: readonly GroupObject[]) {
    this.#objects = objects;
  }

  static async open(url: string, name: string): Promise<Group> {
    const names = Array.from({ length: partitionCount }, (_, partition) => `${name}/${partition}`);
    return new Group(await Promise.all(names.map((one) => GroupObject.open(url, one))));
  }

  /** Of those bids, once all of them have come. @throws {Error} when one does not */
  waits(acknowledged: Acknowledged): Promise<number[]> {
    return allWaits(acknowledged, () => this.#started());
  }

  /** What was noted since the last time. */
  async #started(): Promise<Starts> {
    const [ids, times]: [string[], number[]] = [[], []];
    for (const object of this.#objects) {
      const started = await object.started();
      for (const id of started.ids) ids.push(id);
      for (const time of started.times) times.push(time);
    }
    return { ids, times };
  }

  close(): void {
    for (const object of this.#objects) object.close();
  }
}

/** Item ids of which each partition has one. */
function itemPerPartition(): string[] {
  const found: string[] = [];
  for (let number = 0; Object.keys(found).length < partitionCount; number += 1) {
    found[partitionFor(`item-${number}`, partitionCount)] ??= `item-${number}`;
  }
  return found;
}

function figuresOf(name: string, rounds: readonly (readonly number[])[]): Figure[] {
  const of = (share: number): number[] => rounds.map((waits) => quantile(waits, share));
  return [
    { name: `a function ${name}, p50`, unit: "ms", values: of(0.5), goal: { atMost: 10 } },
    { name: `a function ${name}, p99`, unit: "ms", values: of(0.99), goal: { atMost: 50 } },
  ];
}

import { listItems } from "./harness/auctions.ts";
import { Connection, requestMaker } from "./harness/connection.ts";
import { bidBody, bidderOf } from "./harness/events.ts";
import type { Benchmark, BenchmarkOptions, Figure } from "./harness/figures.ts";
import { expectStatus, openLoop } from "./harness/load.ts";
import { quantile } from "./harness/statistics.ts";
import { type System, type SystemOptions, withSystem } from "./harness/system.ts";
import { partitionFor } from "../src/kafka/partitioner.ts";

const bidsPerSecond = 500;
const secondsPerRound = 15;
const warmUpSeconds = 5;
const partitionCount = 8;
/** One bid in so many is looked for: looking must not be the load. */
const lookForEvery = 5;
const auctionMs = 60 * 60 * 1000;

/**
 * (d) From the acknowledgement of a bid until anyone can read its effect: 500 single bids/s, evenly
 * spaced whatever the answers take, every other one on a hot item, the rest in turn over the
 * partitions. As soon as a 202 is here, another connection asks for the item `after` the bid's
 * coordinates, which answers once the bid has taken effect; the time is until that answer, so it
 * holds a whole request of reading, whose own price is measured beside it.
 */
export const latency: Benchmark = {
  title: "(d) acknowledged until visible, 500 single bids/s",
  run: (options) => measureLatency(options, { p50: 5, p99: 25 }),
};

/** The most that the median of the rounds may be, in milliseconds. */
interface LatencyGoals {
  readonly p50: number;
  readonly p99: number;
}

/** The same over any log. */
export function measureLatency(
  options: BenchmarkOptions,
  goals: LatencyGoals,
  system: SystemOptions = {},
): Promise<Figure[]> {
  return withSystem(async (running) => figuresOf(await measure(running, options), goals), system);
}

interface Samples {
  readonly acknowledged: number[];
  readonly visible: number[];
  readonly read: number[];
  /** Answers of 503, after which a bid was sent again: the time until it was acknowledged goes on. */
  refused: number;
}

async function measure(system: System, options: BenchmarkOptions): Promise<Samples[]> {
  await system.startBridge(options);
  const { url } = await system.startWorker("gavel");
  const itemIds = ["hot", ...itemPerPartition()];
  await listItems(url, system.key(), itemIds, Date.now() + auctionMs);
  const bidder = new Bidder(url, system.key(), itemIds);
  await bidder.run(warmUpSeconds * options.scale);
  const rounds: Samples[] = [];
  for (let round = 1; round <= options.rounds; round += 1) {
    const samples = await bidder.run(secondsPerRound * options.scale);
    rounds.push(samples);
    const [p50, p99] = [0.5, 0.99].map((share) => quantile(samples.visible, share).toFixed(1));
    options.progress(`round ${round}: visible after p50 ${p50} ms, p99 ${p99} ms`);
  }
  return rounds;
}

function figuresOf(rounds: readonly Samples[], goals: LatencyGoals): Figure[] {
  const of = (pick: (samples: Samples) => number[], share: number): number[] =>
    rounds.map((samples) => quantile(pick(samples), share));
  return [
    {
      name: "acknowledged until visible, p50",
      unit: "ms",
      values: of(({ visible }) => visible, 0.5),
      goal: { atMost: goals.p50 },
    },
    {
      name: "acknowledged until visible, p99",
      unit: "ms",
      values: of(({ visible }) => visible, 0.99),
      goal: { atMost: goals.p99 },
    },
    { name: "  of which a read of the same item, p50", unit: "ms", values: of(({ read }) => read, 0.5) },
    {
      name: "  sent until acknowledged, p50",
      unit: "ms",
      values: of(({ acknowledged }) => acknowledged, 0.5),
    },
    {
      name: "  sent until acknowledged, p99",
      unit: "ms",
      values: of(({ acknowledged }) => acknowledged, 0.99),
    },
    { name: "  bids answered 503 and sent again", unit: "", values: rounds.map(({ refused }) => refused) },
  ];
}

/** Item ids of which each partition has one. */
function itemPerPartition(): string[] {
  const found: string[] = [];
  for (let number = 0; Object.keys(found).length < partitionCount; number += 1) {
    found[partitionFor(`item-${number}`, partitionCount)] ??= `item-${number}`;
  }
  return found;
}

interface Coordinates {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

class Bidder {
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #itemIds: readonly string[];
  readonly #idle: Connection[] = [];
  readonly #post: (body: string) => string;
  #bids = 0;

  constructor(url: string, key: string, itemIds: readonly string[]) {
    this.#url = url;
    this.#headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
    this.#post = requestMaker("POST", `${url}/v1/bids`, this.#headers);
    this.#itemIds = itemIds;
  }

  async run(seconds: number): Promise<Samples> {
    const samples: Samples = { acknowledged: [], visible: [], read: [], refused: 0 };
    await openLoop(bidsPerSecond, Math.round(bidsPerSecond * seconds), (index) => this.#bid(index, samples));
    return samples;
  }

  async #bid(index: number, samples: Samples): Promise<void> {
    this.#bids += 1;
    const itemId = this.#itemIds[index % 2 === 0 ? 0 : 1 + (((index - 1) / 2) % partitionCount)] ?? "hot";
    const sentAt = performance.now();
    const request = this.#post(bidBody(itemId, bidderOf(this.#bids), 100 + this.#bids));
    let answer = await this.#send(request);
    for (; answer.status === 503; answer = await this.#send(request)) samples.refused += 1;
    const acknowledgedAt = performance.now();
    expectStatus(answer, 202);
    samples.acknowledged.push(acknowledgedAt - sentAt);
    if (index % lookForEvery !== 0) return;
    await this.#untilVisible(itemId, JSON.parse(answer.body.toString()) as Coordinates);
    const visibleAt = performance.now();
    samples.visible.push(visibleAt - acknowledgedAt);
    expectStatus(await this.#send(this.#get(itemId, "")), 200);
    samples.read.push(performance.now() - visibleAt);
  }

  /** Asks once, and again where the gateway gave up waiting (503 after 2 s). */
  async #untilVisible(itemId: string, { topic, partition, offset }: Coordinates): Promise<void> {
    const request = this.#get(itemId, `?after=${topic}:${partition}:${offset}`);
    let answer = await this.#send(request);
    while (answer.status === 503) answer = await this.#send(request);
    expectStatus(answer, 200);
  }

  #get(itemId: string, query: string): string {
    return requestMaker("GET", `${this.#url}/v1/items/${itemId}${query}`, this.#headers)("");
  }

  /** On a connection that is free, or a new one: an answer that is late delays no other request. */
  async #send(request: string): ReturnType<Connection["send"]> {
    const connection = this.#idle.pop() ?? (await Connection.open(this.#url));
    const answer = await connection.send(request);
    this.#idle.push(connection);
    return answer;
  }
}

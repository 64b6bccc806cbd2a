import { Producer, stringSerializers } from "@platformatic/kafka";
import type { BenchmarkOptions, Figure } from "../harness/figures.ts";
import { openLoop } from "../harness/load.ts";
import { quantile } from "../harness/statistics.ts";
import { withSystem } from "../harness/system.ts";
import { makeBids } from "../kafka/bids.ts";
import { ratios } from "../kafka/produce.ts";
import { type Acknowledged, allWaits, Bidder } from "./bidding.ts";
import { type Contest, inTurn } from "./contest.ts";
import type { Receiver } from "./receiver.ts";

const bidsPerSecond = 500;
const secondsPerRound = 10;
const itemCount = 1_000;

/** Milliseconds from acknowledgement to begin, round by round. */
export interface Waits {
  readonly gavel: number[][];
  readonly restate: number[][];
}

/** Gavel's records come through its gateway, whose acknowledgement it is, and the peer's from a producer. */
export function measureWaits(contest: Contest, options: BenchmarkOptions): Promise<Waits> {
  const { receiver, setting } = contest;
  const { kafka } = setting.systemFor("waits", ["functions"]);
  if (kafka === undefined) throw new TypeError("this benchmark is over Kafka");
  return withSystem(
    async (system) => {
      await system.startBridge();
      const { url } = await system.startWorker("functions");
      const bidder = new Bidder(url, system.key(), (bid) => `item-${bid % itemCount}`);
      const waits = await takeWaits(contest, bidder, options);
      bidder.close();
      return waits;
    },
    { workers: ["functions"], kafka, variables: { RECEIVER_URL: receiver.url, READERS: "stateful" } },
  );
}

async function takeWaits(
  { peer, receiver, setting }: Contest,
  bidder: Bidder,
  { progress, rounds, scale }: BenchmarkOptions,
): Promise<Waits> {
  const topic = await setting.makeTopic("waits.restate");
  const producer = new KafkaBidder(setting.brokers, topic);
  await peer?.subscribe(topic);
  const waits: Waits = { gavel: [], restate: [] };
  const seconds = secondsPerRound * scale;
  const ofGavel = () => waitsOf(bidder.run(bidsPerSecond, seconds), receiver);
  const ofRestate = async () => peer && waitsOf(producer.run(bidsPerSecond, seconds), peer.service);
  for (let round = 0; round <= rounds; round += 1) {
    const { gavel, restate } = await inTurn({ gavel: ofGavel, restate: ofRestate }, round);
    // The first of each warms it up.
    if (round === 0) continue;
    waits.gavel.push(gavel);
    if (restate !== undefined) waits.restate.push(restate);
    const told = [gavel, restate ?? []].map((some) => quantile(some, 0.99).toFixed(1));
    progress(`round ${round}: p99 Gavel ${told[0]} ms, Restate ${told[1]} ms`);
  }
  await producer.close();
  return waits;
}

async function waitsOf(run: Promise<Acknowledged>, receiver: Receiver): Promise<number[]> {
  return allWaits(await run, () => receiver.take());
}

/** Sends single bids to Kafka itself at an even rate; their ids are their sequences. */
class KafkaBidder {
  readonly #topic: string;
  readonly #producer: Producer<string, string, string, string>;
  #bids = 0;

  constructor(brokers: readonly string[], topic: string) {
    this.#topic = topic;
    this.#producer = new Producer({
      clientId: "gavel-bench",
      bootstrapBrokers: [...brokers],
      serializers: stringSerializers,
      idempotent: true,
      acks: -1,
    });
  }

  async run(perSecond: number, seconds: number): Promise<Acknowledged> {
    const count = Math.round(perSecond * seconds);
    const first = this.#bids;
    const bids = makeBids(first + count).slice(first);
    this.#bids += count;
    const acknowledged = new Map<string, number>();
    await openLoop(perSecond, count, async (index) => {
      const bid = bids[index];
      if (bid === undefined) throw new TypeError("a bid of each index");
      await this.#producer.send({ messages: [{ topic: this.#topic, ...bid }] });
      acknowledged.set(String(first + index), performance.timeOrigin + performance.now());
    });
    return acknowledged;
  }

  close(): Promise<void> {
    return this.#producer.close();
  }
}

export function waitFigures({ gavel, restate }: Waits, peer: string): Figure[] {
  const of = (rounds: readonly number[][], share: number): number[] =>
    rounds.map((waits) => quantile(waits, share));
  return [
    { name: "Gavel, 500/s, acknowledged to begun, p50", unit: "ms", values: of(gavel, 0.5) },
    { name: "  p99", unit: "ms", values: of(gavel, 0.99) },
    { name: `${peer}, the same, p50`, unit: "ms", values: of(restate, 0.5) },
    { name: "  p99", unit: "ms", values: of(restate, 0.99) },
    {
      name: "Gavel's p99 : Restate's",
      unit: "ratio",
      values: ratios(of(gavel, 0.99), of(restate, 0.99)),
      goal: { atMost: 0.25 },
    },
  ];
}

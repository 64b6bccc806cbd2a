import { setTimeout as sleep } from "node:timers/promises";
import { topics } from "../src/topics.ts";
import { untilAccepted } from "./harness/auctions.ts";
import { BridgeClient } from "./harness/bridge-client.ts";
import { Connection, requestMaker } from "./harness/connection.ts";
import { cpuPerEvent, cpuTimes } from "./harness/cpu.ts";
import type { Benchmark, BenchmarkOptions, Figure } from "./harness/figures.ts";
import { PositionWatch } from "./harness/lag.ts";
import { NexmarkMix } from "./harness/nexmark.ts";
import { profileOf } from "./harness/profile.ts";
import { type System, type SystemOptions, withSystem } from "./harness/system.ts";

const seconds = 60;
const warmUpSeconds = 10;
const connections = 4;
const partitionCount = 8;
const lookEveryMs = 250;
const looksKept = 200;
/** While the client holds back, it looks more often: it goes on as soon as it may. */
const holdingLookMs = 20;
/** Above this lag the client holds back: what it then reaches is what can be sustained. */
const holdBackMs = 500;

/**
 * (c) A minute of Nexmark's mix, with items that open, take bids and close, and every output
 * acknowledged. The client sends as fast as it is answered, but for when a partition's stream time
 * falls behind: the rate is then what acknowledgement, apply and outputs keep up with together.
 */
export const sustained: Benchmark = {
  title: "(c) sustained, Nexmark's mix with apply and outputs",
  run: (options) =>
    measureSustained(options, { "acknowledged and applied": 50_000, "  the article's figure": 25_000 }),
};

/** The same over any log. @param goals events per second at least, each with a name */
export function measureSustained(
  options: BenchmarkOptions,
  goals: Readonly<Record<string, number>>,
  system: SystemOptions = {},
): Promise<Figure[]> {
  return withSystem((running) => measure(running, options, goals), system);
}

async function measure(
  system: System,
  options: BenchmarkOptions,
  goals: Readonly<Record<string, number>>,
): Promise<Figure[]> {
  await system.startBridge(options);
  const worker = await system.startWorker("gavel", options);
  const load = new SustainedLoad(system, worker.url);
  await load.start();
  await load.run(warmUpSeconds * options.scale, () => undefined);
  await load.drain();
  const profile = await profileOf(worker, options, "sustained");
  const outputsBefore = await load.outputs();
  const before = cpuTimes(system.bridge, worker);
  const startedAt = performance.now();
  const { events, lags, refusals } = await load.run(seconds * options.scale, options.progress);
  const sent = (performance.now() - startedAt) / 1000;
  const drained = await load.drain();
  await profile.stop();
  const cpu = cpuPerEvent(before, cpuTimes(system.bridge, worker), events);
  const outputs = (await load.outputs()) - outputsBefore;
  load.close();
  return [
    ...Object.entries(goals).map(([name, atLeast]) => ({
      name: `${name}, over ${Math.round(sent)} s`,
      unit: "events/s",
      values: [events / sent],
      goal: { atLeast },
    })),
    {
      name: "  lag at the end: until all is applied",
      unit: "ms",
      values: [drained.appliedMs],
      goal: { atMost: 1000 },
    },
    { name: "  until all outputs are acknowledged", unit: "ms", values: [drained.sentMs] },
    { name: "  requests answered 503 and sent again", unit: "", values: [refusals] },
    { name: "  lag on the way", unit: "ms", values: lags },
    {
      name: "  outputs acknowledged",
      unit: "outputs/s",
      values: [(1000 * outputs) / (1000 * sent + drained.sentMs)],
    },
    { name: "  CPU of workerd", unit: "µs/event", values: [cpu.workerd] },
    { name: "  CPU of the bridge", unit: "µs/event", values: [cpu.bridge] },
    { name: "  CPU of the client", unit: "µs/event", values: [cpu.client] },
  ];
}

interface Sent {
  /** Acknowledged. */
  readonly events: number;
  /** As seen on the way, in milliseconds. */
  readonly lags: number[];
  /** Requests answered 503 and sent again. */
  readonly refusals: number;
}

class SustainedLoad {
  readonly #system: System;
  readonly #url: string;
  readonly #mix = new NexmarkMix();
  readonly #bridge: BridgeClient;
  #connections: readonly Connection[] = [];
  #watch: PositionWatch | undefined;
  #looks: readonly { readonly seenAt: number; readonly ends: readonly number[] }[] = [];
  readonly #request: Readonly<Record<"items" | "bids", (body: string) => string>>;

  constructor(system: System, url: string) {
    this.#system = system;
    this.#url = url;
    this.#bridge = new BridgeClient(system);
    const headers = {
      authorization: `Bearer ${system.key()}`,
      "content-type": "application/json",
      prefer: "return=minimal",
    };
    this.#request = {
      items: requestMaker("POST", `${url}/v1/items`, headers),
      bids: requestMaker("POST", `${url}/v1/bids`, headers),
    };
  }

  /** Opens the connections, and one item in each partition whose position tells how far it is. */
  async start(): Promise<void> {
    this.#connections = await Promise.all(
      Array.from({ length: connections }, () => Connection.open(this.#url)),
    );
    const [first] = this.#connections;
    if (first === undefined) throw new Error("no connection");
    for (const body of this.#mix.firstItems()) await untilAccepted(first, this.#request.items(body));
    await sleep(500);
    this.#watch = await PositionWatch.open(this.#url, this.#system.key(), (number) => `watched-${number}`);
    await this.#watch.untilEnd(this.#bridge);
  }

  get #positions(): PositionWatch {
    if (this.#watch === undefined) throw new Error("the load is not started");
    return this.#watch;
  }

  /** Sends for some seconds. */
  async run(forSeconds: number, progress: (line: string) => void): Promise<Sent> {
    const end = performance.now() + 1000 * forSeconds;
    const lags: number[] = [];
    let events = 0;
    let refusals = 0;
    const send = async (connection: Connection): Promise<void> => {
      while (performance.now() < end) {
        if ((lags.at(-1) ?? 0) > holdBackMs) {
          await sleep(5);
          continue;
        }
        const { kind, body, count } = this.#mix.next(Date.now());
        await untilAccepted(connection, this.#request[kind](body), () => (refusals += 1));
        events += count;
      }
    };
    const look = async (): Promise<void> => {
      for (let looked = 0; performance.now() < end; looked += 1) {
        lags.push(await this.#lag());
        if (looked % 40 === 39) progress(`${events} events, lag ${Math.round(lags.at(-1) ?? 0)} ms`);
        await sleep((lags.at(-1) ?? 0) > holdBackMs ? holdingLookMs : lookEveryMs);
      }
    };
    await Promise.all([look(), ...this.#connections.map(send)]);
    return { events, lags, refusals };
  }

  /**
   * Of the partition that is furthest behind: how long ago the journal was last seen to end where
   * its position is now. A partition at the journal's end is behind by nothing, however old its
   * last record is.
   */
  async #lag(): Promise<number> {
    const seenAt = performance.now();
    const ends = await this.#bridge.ends(topics.journal, partitionCount);
    const positions = (await this.#positions.look()).map(({ position }) => position);
    const lags = positions.map((position, partition) => {
      if (position >= (ends[partition] ?? 0)) return 0;
      const caughtUp = this.#looks.findLast((look) => (look.ends[partition] ?? 0) <= position);
      return seenAt - (caughtUp?.seenAt ?? seenAt);
    });
    this.#looks = [...this.#looks.slice(1 - looksKept), { seenAt, ends }];
    return Math.max(...lags);
  }

  /** How long until all that is in the journal is applied, and until no more outputs come. */
  async drain(): Promise<{ appliedMs: number; sentMs: number }> {
    const startedAt = performance.now();
    await this.#positions.untilEnd(this.#bridge);
    const appliedMs = performance.now() - startedAt;
    let sentMs = appliedMs;
    for (let seen = await this.outputs(), quiet = 0; quiet < 10; quiet += 1) {
      await sleep(20);
      const now = await this.outputs();
      if (now !== seen) [seen, quiet, sentMs] = [now, 0, performance.now() - startedAt];
    }
    return { appliedMs, sentMs };
  }

  /** End offsets of the outputs' topics, summed. */
  async outputs(): Promise<number> {
    const completed = await this.#bridge.ends(topics.completed, partitionCount);
    const notifications = await this.#bridge.ends(topics.notifications, partitionCount);
    return [...completed, ...notifications].reduce((sum, end) => sum + end, 0);
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
    this.#watch?.close();
  }
}

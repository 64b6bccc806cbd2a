import { listItems } from "./harness/auctions.ts";
import { Connection, requestMaker } from "./harness/connection.ts";
import { cpuPerEvent, cpuTimes } from "./harness/cpu.ts";
import { bidBody, bidderOf } from "./harness/events.ts";
import type { Benchmark, BenchmarkOptions, Figure } from "./harness/figures.ts";
import { expectStatus, openLoop } from "./harness/load.ts";
import { quantile } from "./harness/statistics.ts";
import { type RunningProcess, type System, withSystem } from "./harness/system.ts";
import { RawWebSocket } from "./harness/web-socket.ts";

const socketCount = 2_000;
/** As many as one item is told of. */
const updatesPerSecond = 10;
const secondsPerTurn = 10;
const acknowledgeEvery = 4;
const auctionMs = 60 * 60 * 1000;

/**
 * (i) Live fan-out: 2,000 WebSockets on one feed object, 10 bids a second on the item that all of them
 * follow. The time is from the sending of a bid until each socket's client has read the message that
 * tells it; beside it an object that does nothing but send what it is handed to as many sockets, with
 * messages of the same size and as many acknowledgements. What is delivered a second is what was
 * offered, unless somebody falls behind.
 */
export const live: Benchmark = {
  title: `(i) live: ${updatesPerSecond} updates/s of one item to 2,000 WebSockets`,
  run: (options) => withSystem((system) => measure(system, options), { variables: { FEED_OBJECTS: "1" } }),
};

/** One side of the comparison: its sockets, and how an update is made. */
interface Side {
  readonly name: string;
  readonly process: RunningProcess;
  readonly audience: Audience;
  /** Makes the update that carries the number. */
  update(number: number): Promise<void>;
}

interface Round {
  readonly latencies: number[];
  readonly perSecond: number;
  readonly cpu: number;
}

async function measure(system: System, options: BenchmarkOptions): Promise<Figure[]> {
  await system.startBridge(options);
  const sides = [await gavel(system, options), await bare(system)];
  const rounds = sides.map((): Round[] => []);
  for (let round = 0; round < options.rounds; round += 1) {
    for (const [index, side] of sides.entries()) {
      const measured = await turn(system.bridge, side, options.scale);
      rounds[index]?.push(measured);
      const [p50, p99] = [0.5, 0.99].map((share) => quantile(measured.latencies, share).toFixed(1));
      const rate = Math.round(measured.perSecond).toLocaleString("en-US");
      options.progress(`round ${round + 1}, ${side.name}: ${rate} messages/s, p50 ${p50} ms, p99 ${p99} ms`);
    }
  }
  return figuresOf(sides, rounds);
}

async function turn(bridge: RunningProcess, side: Side, scale: number): Promise<Round> {
  const { process, audience } = side;
  const count = Math.max(1, Math.round(updatesPerSecond * secondsPerTurn * scale));
  const before = cpuTimes(bridge, process);
  audience.begin();
  const startedAt = performance.now();
  await openLoop(updatesPerSecond, count, () => side.update(audience.next()));
  await audience.untilAllHaveTheLast();
  const seconds = (performance.now() - startedAt) / 1000;
  const { latencies } = audience;
  const { workerd: cpu } = cpuPerEvent(before, cpuTimes(bridge, process), latencies.length);
  return { latencies: [...latencies], perSecond: latencies.length / seconds, cpu };
}

function figuresOf(sides: readonly Side[], rounds: readonly Round[][]): Figure[] {
  const of = (side: number, pick: (round: Round) => number): number[] => (rounds[side] ?? []).map(pick);
  const figures = sides.flatMap(({ name }, side): Figure[] => [
    { name: `${name}: messages/s`, unit: "", values: of(side, ({ perSecond }) => perSecond) },
    { name: `${name}: update until read, p50`, unit: "ms", values: of(side, at(0.5)) },
    { name: `${name}: update until read, p99`, unit: "ms", values: of(side, at(0.99)) },
    { name: `${name}: CPU of the runtime`, unit: "µs a message", values: of(side, ({ cpu }) => cpu) },
  ]);
  const share = (name: string, pick: (round: Round) => number): Figure => {
    const peer = of(1, pick);
    return { name, unit: "", values: of(0, pick).map((own, round) => own / (peer[round] ?? Number.NaN)) };
  };
  return [
    ...figures,
    share("messages/s, as a share of the bare object's", ({ perSecond }) => perSecond),
    share("CPU a message, over the bare object's", ({ cpu }) => cpu),
  ];
}

function at(share: number): (round: Round) => number {
  return ({ latencies }) => quantile(latencies, share);
}

/** Two thousand clients, and what they were told when. */
class Audience {
  latencies: number[] = [];
  /** When each update's number was sent off. */
  readonly #sentAt = new Map<number, number>();
  readonly #last: number[] = [];
  readonly #numberIn: (message: string) => number;
  #number = 1_000;

  /** @param numberIn the update's number in a message; NaN where it has none */
  constructor(numberIn: (message: string) => number) {
    this.#numberIn = numberIn;
  }

  async open(url: string, headers: Readonly<Record<string, string>>): Promise<void> {
    for (let opened = 0; opened < socketCount; opened += 50) {
      await Promise.all(
        Array.from({ length: 50 }, async (_, index) => {
          let messages = 0;
          const socket = await RawWebSocket.open(url, headers, {
            onText: (message) => {
              this.#take(opened + index, message);
              messages += 1;
              // The first comes before there is anything to answer with.
              if (messages % acknowledgeEvery === 0) queueMicrotask(() => socket.send(`{"ack":${messages}}`));
            },
          });
        }),
      );
    }
  }

  #take(socket: number, message: string): void {
    const number = this.#numberIn(message);
    const sentAt = this.#sentAt.get(number);
    this.#last[socket] = number;
    if (sentAt !== undefined) this.latencies.push(performance.now() - sentAt);
  }

  begin(): void {
    this.latencies = [];
    this.#sentAt.clear();
  }

  /** The next update's number, which leaves now. */
  next(): number {
    this.#number += 1;
    this.#sentAt.set(this.#number, performance.now());
    return this.#number;
  }

  async untilAllHaveTheLast(): Promise<void> {
    const end = performance.now() + 30_000;
    while (!this.#haveAllTheLast()) {
      if (performance.now() > end) throw new Error("not every socket was told the last update");
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  #haveAllTheLast(): boolean {
    for (let socket = 0; socket < socketCount; socket += 1) {
      if (this.#last[socket] !== this.#number) return false;
    }
    return true;
  }
}

async function gavel(system: System, options: BenchmarkOptions): Promise<Side> {
  const process = await system.startWorker("gavel", options);
  const { url } = process;
  await listItems(url, system.key(), ["hot"], Date.now() + auctionMs);
  const authorization = `Bearer ${system.key()}`;
  const audience = new Audience((message) => Number(/"amount":(\d+)/.exec(message)?.[1]));
  await audience.open(`${url}/v1/live?items=hot`, { authorization });
  const headers = { authorization, "content-type": "application/json" };
  const post = requestMaker("POST", `${url}/v1/bids`, headers);
  const sending = sender(url);
  const update = async (number: number): Promise<void> => {
    expectStatus(await sending(post(bidBody("hot", bidderOf(number), number))), 202);
  };
  return { name: "Gavel", process, audience, update };
}

async function bare(system: System): Promise<Side> {
  const process = await system.startWorker("fan-out");
  const { url } = process;
  const audience = new Audience((message) => Number(/"amount":(\d+)/.exec(message)?.[1]));
  await audience.open(url, {});
  const post = requestMaker("POST", url, { "content-type": "text/plain" });
  const sending = sender(url);
  const update = async (number: number): Promise<void> => {
    expectStatus(await sending(post(messageOf(number))), 202);
  };
  return { name: "bare fan-out object", process, audience, update };
}

/** A message as Gavel's clients get it. */
function messageOf(amount: number): string {
  const highest = { amount, bidderId: "bidder-40503", bidId: "01a21660-1c2a-737e-bfff-5a79ce5f685f" };
  const counts = { bids: amount, rejected: 0, bidders: amount, reserveMet: true };
  const place = { partition: 3, position: amount, asOf: "2026-11-26T10:14:07.120Z" };
  const closesAt = "2026-11-26T12:00:02.000Z";
  const item = { itemId: "hot", sequence: amount, status: "open", highest, ...counts, closesAt, ...place };
  return JSON.stringify({ type: "items", number: amount, id: "Zl0qXw.2kQ9c", items: [item] });
}

/** Sends on a connection that is free, or a new one: an answer that is late delays no other request. */
function sender(url: string): (request: string) => ReturnType<Connection["send"]> {
  const idle: Connection[] = [];
  return async (request) => {
    const connection = idle.pop() ?? (await Connection.open(url));
    const answer = await connection.send(request);
    idle.push(connection);
    return answer;
  };
}

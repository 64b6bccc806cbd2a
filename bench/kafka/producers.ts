import { type MessageToProduce, Producer, stringSerializers } from "@platformatic/kafka";
import { basicAuthorization } from "../harness/bridge-client.ts";
import { type Answer, Connection, requestMaker } from "../harness/connection.ts";
import { expectStatus, keepInFlight, type Load } from "../harness/load.ts";
import type { System } from "../harness/system.ts";
import { type Bid, makeBids } from "./bids.ts";
import type { Setting } from "./setting.ts";

/** How many records a call has: the peers' work is made beforehand for these. */
export type CallSize = 1 | 1_000;

/** One way to bring bids into a topic, each acknowledged by all in-sync replicas. */
export interface BidProducer {
  readonly name: string;
  /** Keeps so many calls of one size under way. @throws {Error} when a record is not acknowledged */
  load(size: CallSize, inFlight: number, milliseconds: number): Promise<Load>;
  close(): Promise<void>;
}

/** Calls that take turns. */
const callsMade: Readonly<Record<CallSize, number>> = { 1: 4_096, 1_000: 8 };

function makeCalls<Call>(size: CallSize, make: (bids: readonly Bid[]) => Call): () => Call {
  const bids = makeBids(size * callsMade[size]);
  const calls = Array.from({ length: callsMade[size] }, (_, index) =>
    make(bids.slice(index * size, (index + 1) * size)),
  );
  let next = 0;
  return () => calls[(next += 1) % calls.length] as Call;
}

/** Over HTTP, on connections that stay open from turn to turn, as a gateway's do. */
class HttpProducer implements BidProducer {
  readonly name: string;
  readonly #url: string;
  readonly #next: Readonly<Record<CallSize, () => string>>;
  readonly #check: (answer: Answer) => void;
  readonly #connections: Connection[] = [];

  constructor(
    name: string,
    url: string,
    call: (bids: readonly Bid[]) => string,
    check: (answer: Answer) => void,
  ) {
    this.name = name;
    this.#url = url;
    this.#next = { 1: makeCalls(1, call), 1_000: makeCalls(1_000, call) };
    this.#check = check;
  }

  async load(size: CallSize, inFlight: number, milliseconds: number): Promise<Load> {
    while (this.#connections.length < inFlight) this.#connections.push(await Connection.open(this.#url));
    const next = this.#next[size];
    return keepInFlight(inFlight, milliseconds, async (lane) => {
      const answer = await (this.#connections[lane] as Connection).send(next());
      expectStatus(answer, 200);
      this.#check(answer);
      return "answered";
    });
  }

  close(): Promise<void> {
    for (const connection of this.#connections) connection.close();
    return Promise.resolve();
  }
}

export function bridgeProducer(system: System, topic: string): BidProducer {
  const post = requestMaker("POST", `${system.bridge.url}/produce`, {
    authorization: basicAuthorization(system),
    "content-type": "application/json",
  });
  const call = (bids: readonly Bid[]): string =>
    post(JSON.stringify(bids.map(({ key, value, partition }) => ({ topic, partition, key, value }))));
  // A record that failed has its error in the place of its metadata.
  return new HttpProducer("the bridge", system.bridge.url, call, refuse('"error"'));
}

/** In its JSON format, which takes a value as JSON. Undefined where no Strimzi bridge was given. */
export function strimziProducer({ strimzi }: Setting, topic: string): BidProducer | undefined {
  if (strimzi === undefined) return undefined;
  const post = requestMaker("POST", `${strimzi}/topics/${topic}`, {
    "content-type": "application/vnd.kafka.json.v2+json",
  });
  const call = (bids: readonly Bid[]): string => {
    const records = bids.map(
      ({ key, value, partition }) => `{"key":"${key}","partition":${partition},"value":${value}}`,
    );
    return post(`{"records":[${records.join(",")}]}`);
  };
  // A record that failed has an entry with an error under a status of 200.
  return new HttpProducer("Strimzi's bridge", strimzi, call, refuse("error_code"));
}

function refuse(sign: string): (answer: Answer) => void {
  const bytes = Buffer.from(sign);
  return ({ body }) => {
    if (body.includes(bytes)) throw new Error(`not acknowledged: ${body.toString("utf8", 0, 500)}`);
  };
}

type Message = MessageToProduce<string, string, string, string>;

/** The client library without a bridge, in the benchmark's own process. */
export function libraryProducer({ brokers }: Setting, topic: string): BidProducer {
  const producer = new Producer({
    clientId: "gavel-bench",
    bootstrapBrokers: [...brokers],
    serializers: stringSerializers,
    idempotent: true,
    acks: -1,
  });
  const call = (bids: readonly Bid[]): Message[] => bids.map((bid) => ({ topic, ...bid }));
  const next = { 1: makeCalls(1, call), 1_000: makeCalls(1_000, call) };
  return {
    name: "the library used directly",
    load: (size, inFlight, milliseconds) =>
      keepInFlight(inFlight, milliseconds, async () => {
        await producer.send({ messages: next[size]() });
        return "answered";
      }),
    close: () => producer.close(),
  };
}

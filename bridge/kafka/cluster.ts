import { type Connection, ConnectionPool, type metadataV12 } from "@platformatic/kafka";
import { LogFailure, type TopicPartition, unknownPartition } from "../log.ts";
import { type BrokerAddress, type KafkaConnection, parseBroker, poolOptions } from "./connection.ts";
import { failureFrom } from "./errors.ts";
import { agreeOnProtocol, type Protocol } from "./protocol.ts";

type MetadataResponse = Awaited<ReturnType<typeof metadataV12.api.async>>;

export interface Topic {
  /** Kafka's id of it (KIP-516), which its successor of the same name does not have. */
  readonly id: string;
  /** Broker that leads each partition, -1 where none does now. */
  readonly leaders: readonly number[];
}

/** Where a partition is led and which topic it belongs to. */
export interface Leader {
  readonly node: number;
  readonly topicId: string;
}

/** What is asked for at once is answered by one request. Milliseconds. */
const SHORTEST_AGE_MS = 50;
/** How long a topic that is not in the view counts as unknown, whoever asks for it. Milliseconds. */
const UNKNOWN_AGE_MS = 250;
/** How long a view of the cluster counts as new. Milliseconds. */
const LONGEST_AGE_MS = 3_000;
const REQUEST_TIMEOUT_MS = 2_000;

/**
 * The bridge's view of the cluster: topics, their ids and leaders. Asked anew every few seconds
 * while it is used, and at once by whoever finds it wrong.
 */
export class Cluster {
  readonly #connection: KafkaConnection;
  readonly #pool: ConnectionPool;
  #protocol: Protocol | undefined;
  #brokers = new Map<number, BrokerAddress>();
  #topics: ReadonlyMap<string, Topic> = new Map();
  #counts: ReadonlyMap<string, number> = new Map();
  #clusterId = "";
  /** When the view was asked for. */
  #seenAt = Number.NEGATIVE_INFINITY;
  #silentSince: number | null = null;
  #turn = 0;
  #asking: Promise<void> | undefined;

  constructor(connection: KafkaConnection) {
    this.#connection = connection;
    this.#pool = new ConnectionPool(connection.clientId, poolOptions(connection, REQUEST_TIMEOUT_MS));
  }

  /** Known once the cluster has answered. */
  get protocol(): Protocol {
    if (this.#protocol === undefined)
      throw new LogFailure("unavailable", "none", "Kafka has not answered yet");
    return this.#protocol;
  }

  /** Since when the cluster has not answered, in milliseconds since the epoch; null when it did last. */
  get silentSince(): number | null {
    return this.#silentSince;
  }

  get clusterId(): string {
    return this.#clusterId;
  }

  /** All brokers, as last seen. */
  get nodes(): readonly number[] {
    return [...this.#brokers.keys()];
  }

  /** Topic → partition count, made once a view: every produce asks for it. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  get topics(): ReadonlyMap<string, Topic> {
    return this.#topics;
  }

  /** Topics that are at most a few seconds old. @throws {LogFailure} */
  async recent(): Promise<ReadonlyMap<string, Topic>> {
    const age = Date.now() - this.#seenAt;
    // A view that is old but usable is brought up to date beside the request that finds it so.
    if (age > LONGEST_AGE_MS) {
      const asking = this.refresh();
      if (this.#topics.size === 0) await asking;
      else asking.catch(() => undefined);
    }
    return this.#topics;
  }

  /** Recent topics that have these names, if the cluster has: one may have been made a moment ago. */
  async known(names: Iterable<string>): Promise<ReadonlyMap<string, Topic>> {
    const topics = await this.recent();
    for (const name of names) {
      if (topics.has(name)) continue;
      if (Date.now() - this.#seenAt > UNKNOWN_AGE_MS) await this.refresh();
      break;
    }
    return this.#topics;
  }

  /**
   * Asks the cluster, together with whoever else is asking, for a view that was not asked for before
   * `notBefore` (milliseconds since the epoch): what is under way may be older than what it is to tell.
   * @throws {LogFailure}
   */
  async refresh(notBefore: number = Date.now() - SHORTEST_AGE_MS): Promise<void> {
    while (this.#seenAt < notBefore) {
      this.#asking ??= this.#ask().finally(() => (this.#asking = undefined));
      await this.#asking;
    }
  }

  async #ask(): Promise<void> {
    const askedAt = Date.now();
    try {
      const connection = await this.connectToAny();
      this.#protocol ??= await agreeOnProtocol(connection);
      this.#see(await askForTopics(this.#protocol, connection));
      this.#seenAt = askedAt;
      this.#silentSince = null;
    } catch (error) {
      this.#silentSince ??= Date.now();
      this.turnAway();
      throw failureFrom(error, "asking for its topics", "none");
    }
  }

  #see(response: MetadataResponse): void {
    this.#clusterId = response.clusterId ?? "";
    this.#brokers = new Map(response.brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]));
    const topics = new Map<string, Topic>();
    for (const { name, topicId, isInternal, partitions, errorCode } of response.topics) {
      if (name == null || isInternal || (errorCode !== 0 && partitions.length === 0)) continue;
      const leaders: number[] = [];
      for (const { partitionIndex, leaderId } of partitions) leaders[partitionIndex] = leaderId;
      topics.set(name, { id: topicId, leaders });
    }
    this.#topics = topics;
    this.#counts = new Map([...topics].map(([name, { leaders }]) => [name, leaders.length]));
  }

  /** @throws {LogFailure} `unknown-partition`; `unavailable` while there is no leader. */
  leaderOf(wanted: TopicPartition): Leader {
    const topic = this.#topics.get(wanted.topic);
    const node = topic?.leaders[wanted.partition];
    if (topic === undefined || node === undefined) throw unknownPartition(wanted);
    if (this.#brokers.has(node)) return { node, topicId: topic.id };
    const { topic: name, partition } = wanted;
    throw new LogFailure("unavailable", "none", `no broker leads ${name}/${partition} at the moment`);
  }

  /** A connection to a broker, from a pool of the caller's. */
  async connect(pool: ConnectionPool, node: number): Promise<Connection> {
    const broker = this.#brokers.get(node);
    if (broker === undefined) throw new LogFailure("unavailable", "none", `broker ${node} is not there`);
    return pool.get(broker);
  }

  /** A connection to any broker that can be connected to. */
  async connectToAny(): Promise<Connection> {
    const bootstrap = this.#connection.brokers.map((broker) => parseBroker(broker));
    const all = [...this.#brokers.values(), ...bootstrap];
    const first = this.#turn % all.length;
    return this.#pool.getFirstAvailable([...all.slice(first), ...all.slice(0, first)]);
  }

  /** Asks another broker first from now on: one that stands still takes connections and answers nothing. */
  turnAway(): void {
    this.#turn += 1;
  }

  /** A pool of connections apart from all others: what waits on it keeps nobody else waiting. */
  makePool(requestTimeoutMs: number): ConnectionPool {
    return new ConnectionPool(this.#connection.clientId, poolOptions(this.#connection, requestTimeoutMs));
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }
}

/** All topics. A topic without a leader is an error to the client, and its answer is in the error. */
async function askForTopics(protocol: Protocol, connection: Connection): Promise<MetadataResponse> {
  try {
    return await protocol.metadata.async(connection, null, false, false);
  } catch (error) {
    const response = responseIn(error);
    if (response === undefined) throw error;
    return response as MetadataResponse;
  }
}

/** The answer that an error of the client carries: of several partitions, some may be good. */
export function responseIn(error: unknown): object | undefined {
  const response: unknown = error instanceof Error ? Reflect.get(error, "response") : undefined;
  return typeof response === "object" && response !== null ? response : undefined;
}

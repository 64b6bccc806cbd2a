import { setTimeout as sleep } from "node:timers/promises";
import type { CompressionAlgorithmValue, ConnectionPool } from "@platformatic/kafka";
import {
  type AppendRecord,
  type AppendResult,
  type EventLog,
  type IdentifiedOffset,
  LogFailure,
  type OffsetsAt,
  type ReadRequest,
  type ReadResult,
  type TopicPartition,
} from "../log.ts";
import type { ConsumerGroups } from "../groups.ts";
import { InstanceGroups } from "../groups/instances.ts";
import { Cluster } from "./cluster.ts";
import type { KafkaConnection } from "./connection.ts";
import { Fetcher } from "./fetcher.ts";
import { KafkaCoordinator } from "./groups/kafka-coordinator.ts";
import { OffsetLookup } from "./offset-lookup.ts";
import { Producer } from "./producer.ts";
import { Reader } from "./reader.ts";
import { type TopicCreation, TopicGuard } from "./topic-guard.ts";
import type { TopicRequirement } from "./topic-requirement.ts";
import { WaitConnections } from "./wait-connections.ts";

export interface KafkaLogOptions extends KafkaConnection {
  /** The topics that have to be there and how; others of the cluster can be used as they are. */
  readonly topics: Readonly<Record<string, TopicRequirement>>;
  /** Make the missing ones; null refuses to start without them. */
  readonly createTopics?: TopicCreation | null;
  readonly compression?: CompressionAlgorithmValue;
  readonly lingerMs?: number;
  /** How long an append may take, in milliseconds; shorter than what the gateway waits. */
  readonly produceTimeoutMs?: number;
  /** Bytes of records on their way to the brokers; beyond it appends fail at once. */
  readonly maxPendingBytes?: number;
  /** How long the journal and its sources have to keep records, in milliseconds. */
  readonly keepMs?: number;
  /** How often the topics are looked at, in milliseconds. */
  readonly checkEveryMs?: number;
  /** Hears what is wrong with the topics when that changes; nothing when all is well again. */
  readonly onProblems?: (problems: readonly string[]) => void;
}

const DAY_MS = 86_400_000;
const defaults = {
  createTopics: null,
  compression: "none",
  lingerMs: 0,
  produceTimeoutMs: 1_200,
  maxPendingBytes: 64 * 1024 * 1024,
  keepMs: 90 * DAY_MS,
  checkEveryMs: 10_000,
  onProblems: () => undefined,
} as const;

/** Below the broker's default of `max.message.bytes`, 1,048,588. */
const MAX_BATCH_BYTES = 1_000_000;
/** Longer than any answer that is still worth having. */
const READ_TIMEOUT_MS = 5_000;
const PRODUCE_GRACE_MS = 1_000;
/** Brokers hear of a new topic one after the other. */
const FRESH_TOPIC_ATTEMPTS = 20;
const FRESH_TOPIC_PAUSE_MS = 100;
/** How long a start looks for the cluster. */
const START_MS = 10_000;

/** Apache Kafka as the bridge's log. Holds nothing that a copy of the bridge would miss. */
export class KafkaLog implements EventLog {
  readonly groups: ConsumerGroups;
  readonly #cluster: Cluster;
  readonly #guard: TopicGuard;
  readonly #producer: Producer;
  readonly #lookup: OffsetLookup;
  readonly #reader: Reader;
  readonly #waits: WaitConnections;
  readonly #pools: readonly ConnectionPool[];
  readonly #isClosing = new AbortController();

  /**
   * Connects, and looks at the topics.
   * @throws {Error} with a plain sentence: no broker answers, it refuses the credentials, a topic is
   *   missing (with the commands that make it) or is not as it has to be.
   */
  static async open(options: KafkaLogOptions): Promise<KafkaLog> {
    const log = new KafkaLog(options);
    try {
      await log.#start(options);
      return log;
    } catch (error) {
      await log.close();
      throw error;
    }
  }

  private constructor(options: KafkaLogOptions) {
    const settings = { ...defaults, ...options };
    this.#cluster = new Cluster(options);
    this.#guard = new TopicGuard(this.#cluster, {
      connection: options,
      topics: options.topics,
      keepMs: settings.keepMs,
      onProblems: settings.onProblems,
    });
    this.groups = new InstanceGroups(this, new KafkaCoordinator(this.#cluster));
    const producePool = this.#cluster.makePool(settings.produceTimeoutMs + PRODUCE_GRACE_MS);
    const readPool = this.#cluster.makePool(READ_TIMEOUT_MS);
    this.#pools = [producePool, readPool];
    const { compression, lingerMs, produceTimeoutMs: timeoutMs, maxPendingBytes } = settings;
    this.#producer = new Producer(
      this.#cluster,
      producePool,
      { compression, lingerMs, timeoutMs, maxPendingBytes, maxBatchBytes: MAX_BATCH_BYTES },
      (topic) => this.#guard.foundAppendTime(topic),
    );
    this.#lookup = new OffsetLookup(this.#cluster, readPool);
    this.#waits = new WaitConnections(this.#cluster);
    this.#reader = new Reader(new Fetcher(this.#cluster, readPool, this.#lookup), this.#waits);
  }

  async #start(options: KafkaLogOptions): Promise<void> {
    await this.#firstView(options);
    if (options.createTopics != null) await this.#guard.create(options.createTopics);
    const problems = await this.#problemsAtStart();
    if (problems.length > 0) {
      const commands = this.#guard.creationCommands();
      const advice =
        commands.length === 0 ? [] : ["Make the missing topics, or start with --create-topics:", ...commands];
      throw new Error([...problems, ...advice].join("\n"));
    }
    void this.#keepChecking(options.checkEveryMs ?? defaults.checkEveryMs);
  }

  /** A cluster that starts beside the bridge is waited for. */
  async #firstView({ brokers }: KafkaLogOptions): Promise<void> {
    const until = Date.now() + START_MS;
    for (;;) {
      try {
        await this.#cluster.refresh();
        return;
      } catch (error) {
        const isFinal =
          error instanceof LogFailure && (error.code === "forbidden" || error.code === "refused");
        if (isFinal || Date.now() > until) {
          const reason = error instanceof Error ? error.message : String(error);
          throw new Error(`${reason} (${brokers.join(", ")}).`, { cause: error });
        }
      }
      await sleep(200);
    }
  }

  /** Topics that were made a moment ago may not be known everywhere yet. */
  async #problemsAtStart(): Promise<readonly string[]> {
    let problems = await this.#guard.check();
    for (let attempt = 0; attempt < FRESH_TOPIC_ATTEMPTS && problems.length > 0; attempt++) {
      await sleep(FRESH_TOPIC_PAUSE_MS);
      problems = await this.#guard.check();
    }
    return problems;
  }

  async #keepChecking(everyMs: number): Promise<void> {
    const { signal } = this.#isClosing;
    while (!signal.aborted) {
      await sleep(everyMs, undefined, { signal }).catch(() => undefined);
      // A cluster that does not answer says nothing about its topics; requests tell that it is away.
      if (!signal.aborted) await this.#guard.check().catch(() => undefined);
    }
  }

  /** Kafka's id of the cluster, by which one is told from another. */
  get clusterId(): string {
    return this.#cluster.clusterId;
  }

  /** What is wrong with the topics now, in plain sentences. */
  problems(): readonly string[] {
    const since = this.#cluster.silentSince;
    const silence = since === null ? [] : [`Kafka has not answered since ${new Date(since).toISOString()}.`];
    return [...silence, ...this.#guard.problems];
  }

  async append(records: readonly AppendRecord[]): Promise<readonly AppendResult[]> {
    for (const { topic } of records) this.#guard.admit(topic);
    return this.#producer.append(records);
  }

  read(request: ReadRequest): Promise<ReadResult> {
    return this.#reader.read(request);
  }

  offsets(at: OffsetsAt, partitions: readonly TopicPartition[]): Promise<readonly IdentifiedOffset[]> {
    return this.#lookup.find(at, partitions);
  }

  async topics(names: Iterable<string> = []): Promise<ReadonlyMap<string, number>> {
    await this.#cluster.known(names);
    return this.#cluster.counts;
  }

  async close(): Promise<void> {
    this.#isClosing.abort();
    await this.groups.close();
    await this.#producer.drain();
    await Promise.all([...this.#pools.map((pool) => pool.close()), this.#waits.close()]);
    await Promise.all([this.#guard.close(), this.#cluster.close()]);
  }
}

import type { ConnectionPool } from "@platformatic/kafka";
import type { IdentifiedOffset, OffsetsAt, TopicPartition } from "../log.ts";
import { type Cluster, type Leader, responseIn } from "./cluster.ts";
import { failureFrom, failureFromCode } from "./errors.ts";
import { withNewView } from "./retry.ts";

/** Kafka's names for the ends of a partition in the place of a time. Source: ListOffsets. */
const LATEST = -1n;
const EARLIEST = -2n;
const CONSUMER = -1;
const READ_COMMITTED = 1;

type Listed = Awaited<ReturnType<Cluster["protocol"]["listOffsets"]["async"]>>;

/** Finds offsets by ends and times, as a reader of committed records sees them. */
export class OffsetLookup {
  readonly #cluster: Cluster;
  readonly #pool: ConnectionPool;

  constructor(cluster: Cluster, pool: ConnectionPool) {
    this.#cluster = cluster;
    this.#pool = pool;
  }

  /** One answer for each partition, in order. @throws {LogFailure} */
  async find(at: OffsetsAt, partitions: readonly TopicPartition[]): Promise<IdentifiedOffset[]> {
    await this.#cluster.known(partitions.map(({ topic }) => topic));
    return withNewView(this.#cluster, () => this.#find(at, partitions));
  }

  async #find(at: OffsetsAt, partitions: readonly TopicPartition[]): Promise<IdentifiedOffset[]> {
    const wanted = partitions.map((partition) => ({ ...partition, ...this.#cluster.leaderOf(partition) }));
    const nodes = Map.groupBy(wanted, ({ node }) => node);
    const found = await Promise.all([...nodes].map(([node, list]) => this.#ask(node, list, timestampOf(at))));
    const offsets = new Map(found.flat());
    const answer = wanted.map(({ topic, partition, topicId }) => {
      const offset = offsets.get(addressOf({ topic, partition }));
      return { topic, partition, topicId, offset: Number(offset ?? -1n) };
    });
    return typeof at === "number" ? this.#endsInstead(answer) : answer;
  }

  /** Where no record is at or after a time, Kafka answers -1; the end stands for it. */
  async #endsInstead(answer: readonly IdentifiedOffset[]): Promise<IdentifiedOffset[]> {
    const missing = answer.filter(({ offset }) => offset < 0);
    if (missing.length === 0) return [...answer];
    const ends = new Map((await this.#find("latest", missing)).map((end) => [addressOf(end), end]));
    return answer.map((entry) => ends.get(addressOf(entry)) ?? entry);
  }

  async #ask(
    node: number,
    list: readonly (TopicPartition & Leader)[],
    timestamp: bigint,
  ): Promise<[string, bigint][]> {
    const topics = [...Map.groupBy(list, ({ topic }) => topic)].map(([name, entries]) => ({
      name,
      partitions: entries.map(({ partition }) => ({
        partitionIndex: partition,
        currentLeaderEpoch: -1,
        timestamp,
      })),
    }));
    const listed = await this.#request(node, topics);
    return listed.topics.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex, errorCode, offset }): [string, bigint] => {
        const address = addressOf({ topic: name, partition: partitionIndex });
        if (errorCode !== 0) throw failureFromCode(errorCode, address, "none");
        return [address, offset];
      }),
    );
  }

  async #request(
    node: number,
    topics: Parameters<Cluster["protocol"]["listOffsets"]["async"]>[3],
  ): Promise<Listed> {
    try {
      const connection = await this.#cluster.connect(this.#pool, node);
      return await this.#cluster.protocol.listOffsets.async(connection, CONSUMER, READ_COMMITTED, topics);
    } catch (error) {
      const response = responseIn(error);
      if (response !== undefined) return response as Listed;
      throw failureFrom(error, "looking up offsets", "none");
    }
  }
}

function timestampOf(at: OffsetsAt): bigint {
  if (at === "earliest") return EARLIEST;
  return at === "latest" ? LATEST : BigInt(at);
}

function addressOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}

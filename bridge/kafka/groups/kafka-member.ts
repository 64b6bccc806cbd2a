import {
  type Connection,
  type ConnectionPool,
  encodeConsumerProtocolAssignment,
  heartbeatV4,
  joinGroupV9,
  leaveGroupV5,
  offsetCommitV8,
  syncGroupV5,
} from "@platformatic/kafka";
import type { InstanceId } from "../../groups.ts";
import type { CommittedOffset, Member, Subscription } from "../../groups/coordinator.ts";
import { assignRanges } from "../../groups/range.ts";
import type { TopicPartition } from "../../log.ts";
import type { Cluster } from "../cluster.ts";
import type { GroupBrokers } from "./group-brokers.ts";
import { decodeAssignment, decodeTopics, encodeSubscription } from "./subscription.ts";

/** Kafka's own consumers speak it as well: they may be in the same group. */
const ASSIGNOR = "range";
const PROTOCOL_TYPE = "consumer";
/** How long a rebalance waits for members: each copy hears of it within a second. */
const REBALANCE_TIMEOUT_MS = 10_000;

type JoinGroupResponse = Awaited<ReturnType<typeof joinGroupV9.api.async>>;
type Assignments = Parameters<typeof syncGroupV5.createRequest>[6];

/**
 * A static member (KIP-345): `group.instance.id` is the instance's name. Whoever joins under the name
 * takes the former member's place and its partitions, without a rebalance; the former one is fenced.
 */
export class KafkaMember implements Member {
  generation = -1;
  readonly #id: InstanceId;
  readonly #brokers: GroupBrokers;
  readonly #cluster: Cluster;
  #memberId = "";
  #joining: ConnectionPool | null = null;
  #closed = false;

  constructor(id: InstanceId, brokers: GroupBrokers, cluster: Cluster) {
    this.#id = id;
    this.#brokers = brokers;
    this.#cluster = cluster;
  }

  async join(subscription: Subscription): Promise<TopicPartition[]> {
    try {
      return await this.#brokers.askAndWait(
        this.#id.group,
        "joining a group",
        (connection) => this.#joinOn(connection, subscription),
        (pool) => (this.#joining = pool),
      );
    } finally {
      this.#joining = null;
    }
  }

  async #joinOn(connection: Connection, subscription: Subscription): Promise<TopicPartition[]> {
    const { group, instance } = this.#id;
    const joined = await joinGroupV9.api.async(
      connection,
      group,
      subscription.settings.sessionTimeoutMs,
      REBALANCE_TIMEOUT_MS,
      this.#memberId,
      instance,
      PROTOCOL_TYPE,
      [{ name: ASSIGNOR, metadata: encodeSubscription(subscription) }],
      null,
    );
    const { memberId, generationId } = joined;
    const leads = joined.leader === memberId && !joined.skipAssignment;
    const assignments = leads ? await this.#assign(joined) : [];
    const { assignment } = await syncGroupV5.api.async(
      connection,
      group,
      generationId,
      memberId,
      instance,
      PROTOCOL_TYPE,
      ASSIGNOR,
      assignments,
    );
    this.#memberId = memberId;
    this.generation = generationId;
    return decodeAssignment(assignment).flatMap(({ topic, partitions }) =>
      partitions.map((partition) => ({ topic, partition })),
    );
  }

  async #assign({ members }: JoinGroupResponse): Promise<Assignments> {
    const topics = await this.#cluster.recent();
    const counts = new Map([...topics].map(([name, { leaders }]) => [name, leaders.length]));
    const candidates = members.map(({ memberId, groupInstanceId, metadata }) => ({
      name: groupInstanceId ?? memberId,
      topics: decodeTopics(metadata),
    }));
    const assigned = assignRanges(candidates, counts);
    return members.map(({ memberId }, index) => ({
      memberId,
      assignment: encodeConsumerProtocolAssignment({
        version: 0,
        assignedPartitions: (assigned[index] ?? []).map(({ topic, partitions }) => ({
          topic,
          partitions: [...partitions],
        })),
      }),
    }));
  }

  async heartbeat(): Promise<void> {
    const { group, instance } = this.#id;
    await this.#brokers.ask(group, "keeping an instance in its group", (connection) =>
      heartbeatV4.api.async(connection, group, this.generation, this.#memberId, instance),
    );
  }

  async commit(offsets: readonly CommittedOffset[]): Promise<void> {
    const { group, instance } = this.#id;
    const topics = byTopic(offsets);
    await this.#brokers.ask(
      group,
      "committing offsets",
      (connection) =>
        offsetCommitV8.api.async(connection, group, this.generation, this.#memberId, instance, topics),
      "unknown",
    );
  }

  async leave(): Promise<void> {
    if (this.#memberId === "") return;
    const { group, instance } = this.#id;
    const member = { memberId: this.#memberId, groupInstanceId: instance, reason: null };
    await this.#brokers.ask(group, "leaving a group", (connection) =>
      leaveGroupV5.api.async(connection, group, [member]),
    );
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#joining?.close().catch(() => undefined);
  }
}

type OffsetCommitTopics = Parameters<typeof offsetCommitV8.createRequest>[4];

function byTopic(offsets: readonly CommittedOffset[]): OffsetCommitTopics {
  const topics = new Map<string, OffsetCommitTopics[number]>();
  for (const { topic, partition, offset, note } of offsets) {
    const entry = topics.get(topic) ?? { name: topic, partitions: [] };
    topics.set(topic, entry);
    entry.partitions.push({
      partitionIndex: partition,
      committedOffset: BigInt(offset),
      committedLeaderEpoch: -1,
      committedMetadata: note,
    });
  }
  return [...topics.values()];
}

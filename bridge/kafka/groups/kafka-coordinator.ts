import { describeGroupsV5, leaveGroupV5, listGroupsV4, offsetFetchV8 } from "@platformatic/kafka";
import { type GroupDescription, type InstanceId, NO_OFFSET } from "../../groups.ts";
import {
  type CommittedOffset,
  type Coordinator,
  type Member,
  StaleMembership,
  type Subscription,
} from "../../groups/coordinator.ts";
import { positionKey } from "../../groups/positions.ts";
import { LogFailure, type TopicPartition } from "../../log.ts";
import { type Cluster, responseIn } from "../cluster.ts";
import { GroupBrokers } from "./group-brokers.ts";
import { KafkaMember } from "./kafka-member.ts";
import { decodeAssignment, decodeSubscription, decodeTopics } from "./subscription.ts";

const CONSUMER = "consumer";

type DescribeGroupsResponse = Awaited<ReturnType<typeof describeGroupsV5.api.async>>;
type DescribedGroup = DescribeGroupsResponse["groups"][number];

/** Kafka's group coordinators. All that is known of a group is theirs: this keeps nothing. */
export class KafkaCoordinator implements Coordinator {
  readonly #cluster: Cluster;
  readonly #brokers: GroupBrokers;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    this.#brokers = new GroupBrokers(cluster);
  }

  async subscription({
    group,
    instance,
  }: InstanceId): Promise<Subscription | "rebalancing" | "foreign" | null> {
    const { groups } = await this.#brokers.ask(group, "looking for an instance", (connection) =>
      describeGroupsV5.api.async(connection, [group], false),
    );
    const member = groups[0]?.members.find(({ groupInstanceId }) => groupInstanceId === instance);
    if (member === undefined) return null;
    // Kafka tells what a member subscribes to only while the group is stable.
    if (member.memberMetadata.length === 0) return "rebalancing";
    return decodeSubscription(member.memberMetadata) ?? "foreign";
  }

  member(id: InstanceId): Member {
    return new KafkaMember(id, this.#brokers, this.#cluster);
  }

  async committed(group: string, partitions: readonly TopicPartition[]): Promise<CommittedOffset[]> {
    if (partitions.length === 0) return [];
    const topics = Map.groupBy(partitions, ({ topic }) => topic);
    const wanted = {
      groupId: group,
      memberId: null,
      memberEpoch: -1,
      topics: [...topics].map(([name, list]) => ({
        name,
        partitionIndexes: list.map(({ partition }) => partition),
      })),
    };
    const { groups } = await this.#brokers.ask(group, "reading a group's offsets", (connection) =>
      offsetFetchV8.api.async(connection, [wanted], true),
    );
    const found = new Map<string, { readonly offset: number; readonly note: string }>();
    for (const { name, partitions: list } of groups[0]?.topics ?? []) {
      for (const { partitionIndex, committedOffset, metadata } of list) {
        const key = positionKey({ topic: name, partition: partitionIndex });
        found.set(key, { offset: Number(committedOffset), note: metadata ?? "" });
      }
    }
    return partitions.map(({ topic, partition }) => ({
      topic,
      partition,
      ...(found.get(positionKey({ topic, partition })) ?? { offset: NO_OFFSET, note: "" }),
    }));
  }

  async list(): Promise<GroupDescription[]> {
    const described = await this.#brokers.askAll("listing consumer groups", async (connection) => {
      const { groups } = await listGroupsV4.api.async(connection, [], []);
      const names = groups
        .filter(({ protocolType }) => protocolType === CONSUMER)
        .map(({ groupId }) => groupId);
      if (names.length === 0) return [];
      try {
        return (await describeGroupsV5.api.async(connection, names, false)).groups;
      } catch (error) {
        // A group that has gone or moved since is an error, beside the good answers of the others.
        const response = responseIn(error) as DescribeGroupsResponse | undefined;
        if (response === undefined) throw error;
        return response.groups.filter(({ errorCode }) => errorCode === 0);
      }
    });
    return described
      .flat()
      .filter(({ members }) => members.length > 0)
      .map(describe);
  }

  async remove({ group, instance }: InstanceId): Promise<void> {
    try {
      await this.#brokers.ask(group, "taking an instance out of its group", (connection) =>
        leaveGroupV5.api.async(connection, group, [
          { memberId: "", groupInstanceId: instance, reason: null },
        ]),
      );
    } catch (error) {
      // It is in no group: what was to be reached.
      if (error instanceof StaleMembership && error.reason === "lost") return;
      if (!(error instanceof StaleMembership)) throw error;
      throw new LogFailure("unavailable", "none", "the group rebalances now", error);
    }
  }

  async close(): Promise<void> {
    await this.#brokers.close();
  }
}

/** A member of another program that has no name of its own goes by Kafka's for it. */
function describe({ groupId, members }: DescribedGroup): GroupDescription {
  return {
    name: groupId,
    instances: members.map(({ groupInstanceId, memberId, memberMetadata, memberAssignment }) => ({
      name: groupInstanceId ?? memberId,
      subscribed: decodeTopics(memberMetadata),
      assigned: decodeAssignment(memberAssignment),
    })),
  };
}

import type { GroupDescription, InstanceId, InstanceSettings } from "../groups.ts";
import type { TopicPartition } from "../log.ts";

/** What an instance takes part with; the group keeps it, so that every copy knows the settings. */
export interface Subscription {
  /** In order, each once. */
  readonly topics: readonly string[];
  readonly settings: InstanceSettings;
}

/** A group's position in a partition, with a note of the copies of the bridge for each other. */
export interface CommittedOffset extends TopicPartition {
  /** `NO_OFFSET` where there is none. */
  readonly offset: number;
  readonly note: string;
}

/**
 * The membership by which this copy acts as an instance is no longer good.
 * - `rebalancing`: the group divides its partitions anew: join again.
 * - `lost`: another copy acts as the instance now, or the group has let it go.
 */
export class StaleMembership extends Error {
  override readonly name = "StaleMembership";
  readonly reason: "rebalancing" | "lost";

  constructor(reason: "rebalancing" | "lost") {
    super(`the membership is stale: ${reason}`);
    this.reason = reason;
  }
}

/**
 * This copy's part in one instance. Where two copies act as one instance, the one that joined last
 * is the member and each call of the other's fails as `lost`. All throw {@link StaleMembership} and
 * `LogFailure`.
 */
export interface Member {
  /** Counts the divisions of the group's partitions; what a member commits is bound to it. */
  readonly generation: number;
  /**
   * Joins, or joins again. Resolves with the instance's partitions once all members have joined.
   * An instance that is a member already goes on as it is, without a rebalance.
   */
  join(subscription: Subscription): Promise<readonly TopicPartition[]>;
  /** Proves that the member is one still, and keeps it from timing out. */
  heartbeat(): Promise<void>;
  /** Durable when it resolves, and only if the generation is the group's. */
  commit(offsets: readonly CommittedOffset[]): Promise<void>;
  leave(): Promise<void>;
  /** Ends a join that is under way. The instance stays in the group. */
  close(): void;
}

/** Who is in which group and how far each group has come; Kafka's group coordinator, or one of our own. */
export interface Coordinator {
  /**
   * What the group knows of an instance, whichever copy acts as it; null where it is not in.
   * `rebalancing`: it is in, and the group does not tell now. `foreign`: a member of another program
   * bears the name.
   */
  subscription(id: InstanceId): Promise<Subscription | "rebalancing" | "foreign" | null>;
  /** Nothing is sent before it joins. */
  member(id: InstanceId): Member;
  /** In the order asked for. */
  committed(group: string, partitions: readonly TopicPartition[]): Promise<readonly CommittedOffset[]>;
  list(): Promise<readonly GroupDescription[]>;
  remove(id: InstanceId): Promise<void>;
  close(): Promise<void>;
}

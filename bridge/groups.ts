import type { ReadResult, TopicPartition, TopicPartitionOffset } from "./log.ts";

/** Where an instance begins in a partition of which its group has no position. */
export type OffsetReset = "latest" | "earliest" | "none";

/** What the first call of an instance settles for as long as the instance is in its group. */
export interface InstanceSettings {
  /** Whether what was handed out counts as done when the instance comes back for more. */
  readonly autoCommit: boolean;
  /** Handed out and not asked on for this long: committed all the same. Milliseconds. */
  readonly autoCommitIntervalMs: number;
  readonly offsetReset: OffsetReset;
  /** Not called for this long, the instance leaves its group. Milliseconds. */
  readonly sessionTimeoutMs: number;
}

export interface InstanceId {
  readonly group: string;
  readonly instance: string;
}

export interface ConsumeRequest extends InstanceId {
  readonly topics: readonly string[];
  /** Heeded on the first call of an instance only. */
  readonly settings: InstanceSettings;
  readonly maxBytes: number;
  /** How long to wait for the group and for a first record, in milliseconds; 0 answers at once. */
  readonly timeoutMs: number;
  /** The caller is gone or the bridge stops: nothing is handed out any more. */
  readonly signal?: AbortSignal;
}

/** What was handed out. */
export interface HandedOut {
  readonly read: ReadResult;
  /** For an answer that does not reach its client: the instance's next call begins where this did. */
  takeBack(): Promise<void>;
}

/** Is called with each topic of the instance before anything is done; what it throws is thrown. */
export type Authorize = (topic: string) => void;

export interface CommitRequest extends InstanceId {
  /** Where to read on (the offset after the last one that is done); null: all that was handed out. */
  readonly offsets: readonly TopicPartitionOffset[] | null;
  readonly authorize: Authorize;
}

export interface RemoveRequest extends InstanceId {
  readonly authorize: Authorize;
}

export interface TopicAssignment {
  readonly topic: string;
  readonly partitions: readonly number[];
}

export interface InstanceDescription {
  readonly name: string;
  readonly subscribed: readonly string[];
  readonly assigned: readonly TopicAssignment[];
}

export interface GroupDescription {
  readonly name: string;
  readonly instances: readonly InstanceDescription[];
}

/** Stands for "nothing was committed", as in Kafka's own answers. */
export const NO_OFFSET = -1;

/**
 * Consumer groups: instances of a group share the partitions of their topics, and the group keeps
 * how far it has come in each. Any call of an instance may be made on any copy of the bridge.
 *
 * Delivery is at least once: a record is handed to an instance once, and again to another one that
 * takes its partition over before the record was committed.
 */
export interface ConsumerGroups {
  /**
   * Records from where the instance stands in its partitions; empty while the group still joins.
   * @throws {LogFailure} `unknown-partition` for a topic that does not exist; `refused` without a
   *   position to begin at (`none`); `unavailable` when the group cannot be had now.
   */
  consume(request: ConsumeRequest): Promise<HandedOut>;
  /**
   * Resolves when the group has the offsets durably: all of them or none.
   * @throws {LogFailure} `refused` for an instance that is not in the group and for a partition that
   *   is not the instance's; `unavailable` when the group has rebalanced since or rebalances now.
   */
  commit(request: CommitRequest): Promise<void>;
  /** In the order asked for; `NO_OFFSET` where the group has committed nothing. @throws {LogFailure} */
  committed(group: string, partitions: readonly TopicPartition[]): Promise<readonly TopicPartitionOffset[]>;
  /** All groups that have members, from whichever copy. @throws {LogFailure} */
  list(): Promise<readonly GroupDescription[]>;
  /** Takes an instance out of its group; one that is not in it is no failure. @throws {LogFailure} */
  remove(request: RemoveRequest): Promise<void>;
  /** Lets go of all instances without a leave: another copy may go on with them. */
  close(): Promise<void>;
}

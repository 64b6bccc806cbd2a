import type { LogOffset, TopicPartitionOffset } from "../src/kafka/port.ts";
import type { PartitionDependencies } from "./dependencies.ts";
import { LogWait } from "./log-wait.ts";
import type { TopicIdentities } from "./topic-identities.ts";

const timeoutMs = 10_000;

export interface CheckedPosition<Role extends string> extends TopicPartitionOffset {
  readonly role: Role;
}

/**
 * Holds the positions against the log before anything of it is believed. The topics' ids decide
 * whether it is the log that was read. Where the server tells none, an end before a position does:
 * such a log has lost records or is another one, and its next records, whose offsets lie below the
 * position, would be taken for known ones and never be applied.
 */
export class LogCheck<Role extends string> {
  private readonly dependencies: PartitionDependencies;
  private readonly positions: () => readonly CheckedPosition<Role>[];
  private readonly identities: TopicIdentities<Role>;
  private isChecked = false;

  /** @param positions next offset of each topic partition that is read */
  constructor(
    dependencies: PartitionDependencies,
    positions: () => readonly CheckedPosition<Role>[],
    identities: TopicIdentities<Role>,
  ) {
    this.dependencies = dependencies;
    this.positions = positions;
    this.identities = identities;
  }

  /**
   * Checks unless it was found right before.
   * @throws {LogError}
   * @throws {TopicReplaced}
   * @throws {LogWait} or, without ids, an Error that says so: the log ends before a position
   */
  async once(): Promise<void> {
    if (this.isChecked) return;
    const positions = this.positions();
    const { clock, log } = this.dependencies;
    const ends = await log.offsets("latest", positions.map(placeOf), clock.now() + timeoutMs);
    const told = positions.map((position) => ({ position, end: ends.find((end) => isOf(end, position)) }));
    for (const { position, end } of told) this.identities.recognize(position.role, end?.topicId);
    for (const { position, end } of told) if (end !== undefined) requireEnd(position, end);
    this.isChecked = true;
  }

  /** The next `once` checks again. */
  forget(): void {
    this.isChecked = false;
  }
}

function placeOf({ topic, partition }: TopicPartitionOffset) {
  return { topic, partition };
}

function isOf(end: LogOffset, { topic, partition }: TopicPartitionOffset): boolean {
  return end.topic === topic && end.partition === partition;
}

function requireEnd({ topic, partition, offset }: TopicPartitionOffset, end: LogOffset): void {
  if (end.offset >= offset) return;
  const what = `${topic}/${partition} ends at ${end.offset}, before the position ${offset}`;
  if (end.topicId === undefined)
    throw new Error(`${what}: the log has lost records, or is another one than was read`);
  // It is the topic that was read: after a failover a leader knows only later how far it may be read.
  throw new LogWait(`${what}: its leader has yet to catch up, or has lost records`);
}

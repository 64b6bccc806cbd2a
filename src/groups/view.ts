import type { DeadLetterEntry } from "../../durable-objects/functions/dead-letter-index.ts";
import type { ParkedEntry } from "../../durable-objects/functions/delivery-store.ts";
import type { FunctionGroupStatus, FunctionStatus } from "../../durable-objects/functions/rpc.ts";
import type { PartitionStatus } from "../../durable-objects/rpc.ts";
import { formatTimestamp } from "../lib/time.ts";

/** How far a group has read one topic of a partition. */
interface TopicView {
  readonly topic: string;
  readonly topicId?: string;
  /** Next offset to be read. */
  readonly position: number;
  /** Null where the log does not say, and so for what follows from it. */
  readonly endOffset: number | null;
  /** First offset that the log still has; null where it does not say. */
  readonly startOffset: number | null;
  /** Records that are not read yet; offsets without records count. */
  readonly lag: number | null;
  /** Age of the oldest record that is not read yet, 0 where there is none, null where the log does not tell. In milliseconds. */
  readonly lagMs: number | null;
}

/** A group's partition as an operator sees it. */
export interface PartitionView {
  readonly group: string;
  readonly partition: number;
  readonly paused: boolean;
  readonly topics: readonly TopicView[];
  readonly parked: number;
  readonly deadLettered: number;
  /** Lowest offset that some function has not finished; null where all have finished all that was read. */
  readonly oldest: number | null;
  /** What the function that is furthest behind has still to read; null without functions, or where the log does not say. */
  readonly functionLag: number | null;
  /** Outputs not yet in the log. */
  readonly outbox: number;
  readonly lostOffsets: number;
  readonly functions: readonly FunctionStatus[];
  readonly stalled?: string;
}

/** A partition whose object does not answer: nothing else is known of it. */
export interface SilentPartition {
  readonly group: string;
  readonly partition: number;
  readonly stalled: string;
}

export type ToldPartition = PartitionView | SilentPartition;

export function isSilent(told: ToldPartition): told is SilentPartition {
  return !("topics" in told);
}

/** Where a topic's partition begins and ends, null where the log does not say. */
export interface LogEnds {
  readonly start: number | null;
  readonly end: number | null;
}

export type EndsOf = (topic: string, partition: number) => LogEnds;

export function functionGroupView(status: FunctionGroupStatus, endsOf: EndsOf): PartitionView {
  const { functions, group, partition, position, stalled, topic, topicId } = status;
  const ends = endsOf(topic, partition);
  const oldest = functions.flatMap(({ oldestUnfinished }) => oldestUnfinished ?? []);
  return {
    group,
    partition,
    paused: status.isPaused,
    topics: [topicView({ topic, topicId, position }, ends)],
    parked: functions.reduce((sum, { parked }) => sum + parked, 0),
    deadLettered: status.deadLettered,
    oldest: oldest.length === 0 ? null : Math.min(...oldest),
    functionLag: furthestBehind(functions, ends),
    outbox: status.outbox,
    lostOffsets: status.lostOffsets,
    functions,
    ...(stalled === undefined ? {} : { stalled }),
  };
}

export function auctionView(
  status: PartitionStatus,
  names: { readonly items: string; readonly journal: string },
  endsOf: EndsOf,
): PartitionView {
  const { partition, stalled } = status;
  const topics = (["journal", "items"] as const).map((role) => {
    const topic = names[role];
    const { position, topicId } = status[role];
    return topicView({ topic, topicId, position }, endsOf(topic, partition));
  });
  return {
    group: "auction",
    partition,
    paused: false,
    topics,
    parked: 0,
    deadLettered: status.deadLettered,
    oldest: null,
    functionLag: null,
    outbox: status.outbox,
    lostOffsets: status.lostOffsets,
    functions: [],
    ...(stalled === undefined ? {} : { stalled }),
  };
}

function topicView(
  { topic, topicId, position }: { topic: string; topicId: string | undefined; position: number },
  { start, end }: LogEnds,
): TopicView {
  const lag = end === null ? null : Math.max(0, end - position);
  return {
    topic,
    ...(topicId === undefined ? {} : { topicId }),
    position,
    endOffset: end,
    startOffset: start,
    lag,
    // Of what is unread the log has the time.
    lagMs: lag === 0 ? 0 : null,
  };
}

function furthestBehind(functions: readonly FunctionStatus[], { end }: LogEnds): number | null {
  if (functions.length === 0 || end === null) return null;
  return Math.max(0, ...functions.map(({ next }) => end - next));
}

/** A parked record as it is answered; no time: as soon as may be, or none yet. */
export function parkedBody(entry: ParkedEntry): Record<string, unknown> {
  const { firstAttemptAt, nextAttemptAt } = entry;
  return {
    function: entry.function,
    key: entry.key,
    offset: entry.offset,
    attempts: entry.attempts,
    error: entry.error,
    firstAttemptAt: firstAttemptAt === null ? null : formatTimestamp(firstAttemptAt),
    nextAttemptAt: nextAttemptAt === 0 ? null : formatTimestamp(nextAttemptAt),
  };
}

/** How operators name a dead letter of a group. */
export function deadLetterId(partition: number, id: number): string {
  return `${partition}-${id}`;
}

/** A dead letter as it is answered. */
export function deadLetterBody(partition: number, entry: DeadLetterEntry): Record<string, unknown> {
  const { attempts, endedAt, error, key, offset, redriven } = entry;
  return {
    id: deadLetterId(partition, entry.id),
    partition,
    function: entry.function,
    key,
    offset,
    attempts,
    redriven,
    error,
    endedAt: formatTimestamp(endedAt),
  };
}

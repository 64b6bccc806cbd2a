import type { PartitionStatus, TopicProgress } from "../durable-objects/rpc.ts";
import type { KafkaLog, LogOffset } from "./kafka/port.ts";
import type { Clock } from "./lib/clock.ts";
import { describeError, type Logger } from "./lib/log.ts";
import type { Partitions } from "./partitions.ts";

export interface SweepDependencies {
  readonly log: KafkaLog;
  readonly partitions: Partitions;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The two topics that group `auction` reads, as they are named in the log. */
  readonly topics: { readonly items: string; readonly journal: string };
}

/** Longest wait for the log, in milliseconds. */
const longestOffsetsMs = 10_000;

/**
 * Compares every partition's position with the log's end and wakes what lags: after a lost push,
 * another producer's write or a restart, this is what finds the records. One request to the log,
 * one to each object, one more to each that lags.
 */
export async function sweep(dependencies: SweepDependencies): Promise<void> {
  const { log, partitions, clock, logger, topics } = dependencies;
  const wanted = Array.from({ length: partitions.count }, (_, partition) => partition).flatMap(
    (partition) => [
      { topic: topics.items, partition },
      { topic: topics.journal, partition },
    ],
  );
  let ends: readonly LogOffset[];
  try {
    ends = await log.offsets("latest", wanted, clock.now() + longestOffsetsMs);
  } catch (error) {
    logger("warn", "sweep-failed", { error: describeError(error) });
    return;
  }
  const woken = await Promise.all(
    Array.from({ length: partitions.count }, (_, partition) => sweepOne(dependencies, ends, partition)),
  );
  const count = woken.filter(Boolean).length;
  // A sweep that finds nothing to do is the rule and says nothing.
  if (count > 0) logger("info", "sweep", { partitions: partitions.count, woken: count });
}

/** Whether the partition was woken: it lags, or its log is behind it. One that fails keeps no other from its turn. */
async function sweepOne(
  dependencies: SweepDependencies,
  ends: readonly LogOffset[],
  partition: number,
): Promise<boolean> {
  const { partitions, logger, topics } = dependencies;
  const items = endOf(ends, topics.items, partition);
  const journal = endOf(ends, topics.journal, partition);
  const idOf = (topic: string) => ends.find((end) => end.topic === topic)?.topicId;
  try {
    const status = await partitions.call(partition, (object) => object.status());
    const isLagging = lags(status, items, journal);
    // Its end says nothing of a topic that was made again: its id does.
    const isOther =
      isReplaced(status.items, idOf(topics.items)) || isReplaced(status.journal, idOf(topics.journal));
    // A woken object finds out for itself that its log is another one or behind it, and says so in its status.
    const isWoken = isLagging || isOther || (await isBehind(dependencies, ends, status));
    if (isWoken) await partitions.call(partition, (object) => object.wake());
    return isWoken;
  } catch (error) {
    logger("warn", "wake-failed", { partition, error: describeError(error) });
    return false;
  }
}

/**
 * Whether the log ends before a position. Without topic ids it has lost records, or is another log:
 * what it takes from then on has offsets below the position, which the object would drop as known,
 * and somebody has to hear of it. With ids it is the log that was read, and its end is told too early;
 * the object waits for it and says so if that lasts. The first answer is older than the status, so
 * that the log is asked again before it is blamed.
 */
async function isBehind(
  { log, clock, logger, topics }: SweepDependencies,
  ends: readonly LogOffset[],
  { partition, items, journal }: PartitionStatus,
): Promise<boolean> {
  const positions = [
    { topic: topics.items, partition, ...items },
    { topic: topics.journal, partition, ...journal },
  ].filter(({ topic, position }) => position > endOf(ends, topic, partition));
  if (positions.length === 0) return false;
  const wanted = positions.map(({ topic }) => ({ topic, partition }));
  const newer = await log.offsets("latest", wanted, clock.now() + longestOffsetsMs);
  const behind = positions
    .map((position) => ({ ...position, end: endOf(newer, position.topic, partition) }))
    .filter(({ position, end }) => position > end);
  for (const { topic, topicId, position, end } of behind) {
    if (topicId === undefined) logger("error", "log-behind", { topic, partition, position, end });
  }
  return behind.length > 0;
}

function isReplaced({ topicId }: TopicProgress, found: string | undefined): boolean {
  return topicId !== undefined && found !== undefined && topicId !== found;
}

/** Outputs that are not in the log yet are lag too: those who read them wait. */
function lags(status: PartitionStatus, items: number, journal: number): boolean {
  return status.items.position < items || status.journal.position < journal || status.outbox > 0;
}

/** An end that the log did not tell counts as beyond every position: the object finds out. */
function endOf(ends: readonly LogOffset[], topic: string, partition: number): number {
  return (
    ends.find((end) => end.topic === topic && end.partition === partition)?.offset ?? Number.POSITIVE_INFINITY
  );
}

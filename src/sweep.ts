import type { PartitionStatus } from "../durable-objects/rpc.ts";
import type { KafkaLog, TopicPartitionOffset } from "./kafka/port.ts";
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
 * one to each object that the log has records for, one more to each that lags.
 */
export async function sweep(dependencies: SweepDependencies): Promise<void> {
  const { log, partitions, clock, logger, topics } = dependencies;
  const wanted = Array.from({ length: partitions.count }, (_, partition) => partition).flatMap(
    (partition) => [
      { topic: topics.items, partition },
      { topic: topics.journal, partition },
    ],
  );
  let ends: readonly TopicPartitionOffset[];
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

/** Whether the partition was woken. One that fails keeps no other from its turn. */
async function sweepOne(
  { partitions, logger, topics }: SweepDependencies,
  ends: readonly TopicPartitionOffset[],
  partition: number,
): Promise<boolean> {
  const items = endOf(ends, topics.items, partition);
  const journal = endOf(ends, topics.journal, partition);
  if (items === 0 && journal === 0) return false;
  try {
    const status = await partitions.call(partition, (object) => object.status());
    if (!lags(status, items, journal)) return false;
    await partitions.call(partition, (object) => object.wake());
    return true;
  } catch (error) {
    logger("warn", "wake-failed", { partition, error: describeError(error) });
    return false;
  }
}

/** Outputs that are not in the log yet are lag too: those who read them wait. */
function lags(status: PartitionStatus, items: number, journal: number): boolean {
  return status.items.position < items || status.journal.position < journal || status.outbox > 0;
}

/** An end that the log did not tell counts as beyond every position: the object finds out. */
function endOf(ends: readonly TopicPartitionOffset[], topic: string, partition: number): number {
  return (
    ends.find((end) => end.topic === topic && end.partition === partition)?.offset ?? Number.POSITIVE_INFINITY
  );
}

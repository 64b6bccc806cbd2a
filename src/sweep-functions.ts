import type { FunctionGroupStatus } from "../durable-objects/functions/rpc.ts";
import type { KafkaLog, LogOffset } from "./kafka/port.ts";
import type { Clock } from "./lib/clock.ts";
import { describeError, type Logger } from "./lib/log.ts";
import type { FunctionPartitions } from "./partitions.ts";
import { topics } from "./topics.ts";
import { type FunctionGroupName, functionGroups } from "./topology.ts";

export interface FunctionSweepDependencies {
  readonly log: KafkaLog;
  readonly functionPartitions: FunctionPartitions;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly topicPrefix: string;
  readonly partitionCount: number;
}

/** Longest wait for the log, in milliseconds. */
const longestOffsetsMs = 10_000;

/**
 * Compares the positions of every group of functions with the log's ends and wakes what lags, as
 * `sweep` does for group `auction`. One request to the log for each topic that is read.
 */
export async function sweepFunctions(dependencies: FunctionSweepDependencies): Promise<void> {
  const { logger } = dependencies;
  const names = Object.keys(functionGroups) as FunctionGroupName[];
  const read = new Map<string, Promise<readonly LogOffset[]>>();
  const swept = await Promise.all(
    names.map(async (group) => {
      const topic = dependencies.topicPrefix + topics[functionGroups[group].topic];
      let ends = read.get(topic);
      if (ends === undefined) read.set(topic, (ends = endsOf(dependencies, topic)));
      try {
        return await sweepGroup(dependencies, group, await ends);
      } catch (error) {
        logger("warn", "sweep-failed", { group, error: describeError(error) });
        return 0;
      }
    }),
  );
  const woken = swept.reduce((sum, count) => sum + count, 0);
  if (woken > 0) logger("info", "sweep-functions", { woken });
}

function endsOf(
  { clock, log, partitionCount }: FunctionSweepDependencies,
  topic: string,
): Promise<readonly LogOffset[]> {
  const wanted = Array.from({ length: partitionCount }, (_, partition) => ({ topic, partition }));
  return log.offsets("latest", wanted, clock.now() + longestOffsetsMs);
}

/** Answers how many objects of the group were woken. */
async function sweepGroup(
  { functionPartitions, logger, partitionCount }: FunctionSweepDependencies,
  group: FunctionGroupName,
  ends: readonly LogOffset[],
): Promise<number> {
  const objects = functionPartitions[group];
  const woken = await Promise.all(
    Array.from({ length: partitionCount }, async (_, partition) => {
      const end = ends.find((one) => one.partition === partition);
      try {
        const status = await objects.call(partition, (object) => object.functionGroupStatus());
        if (!needsWaking(status, end)) return false;
        await objects.call(partition, (object) => object.wakeFunctions());
        return true;
      } catch (error) {
        logger("warn", "wake-failed", { group, partition, error: describeError(error) });
        return false;
      }
    }),
  );
  return woken.filter(Boolean).length;
}

/** It lags, has something unfinished or unsent, or its topic is another one than it read. */
function needsWaking(status: FunctionGroupStatus, end: LogOffset | undefined): boolean {
  if (status.isPaused) return false;
  const isOther =
    status.topicId !== undefined && end?.topicId !== undefined && end.topicId !== status.topicId;
  const lags = end === undefined || status.position !== end.offset || status.outbox > 0;
  const isUnfinished = status.functions.some(({ oldestUnfinished }) => oldestUnfinished !== undefined);
  return isOther || lags || isUnfinished;
}

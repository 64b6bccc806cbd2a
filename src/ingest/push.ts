import { encodeHeaders } from "../kafka/header-text.ts";
import type { FunctionGroupRpc } from "../../durable-objects/functions/rpc.ts";
import type { PushResult } from "../../durable-objects/rpc.ts";
import type { GroupObjects, Partitions } from "../partitions.ts";
import type { PreparedRecord, WrittenTopic } from "./records.ts";

/** A record with the coordinates that the log gave it. */
export interface PublishedRecord extends PreparedRecord {
  readonly offset: number;
  /** The log's timestamp, which a later reader sees; a topic may overwrite the edge's. */
  readonly timestamp: number;
  /** Which topic took it, where the log told. */
  readonly topicId?: string;
}

interface PartitionBatch {
  readonly topic: WrittenTopic;
  readonly partition: number;
  readonly topicId?: string;
  readonly offsets: number[];
  readonly timestamps: number[];
  readonly keys: string[];
  readonly values: string[];
  readonly headers: string[];
}

/** Who is handed what the edge has published. */
export interface PushTargets {
  /** Group `auction`, which reads everything that the edge writes. */
  readonly partitions: Partitions;
  /** Groups of functions that read a topic. */
  readonly readersOf: (topic: WrittenTopic) => readonly GroupObjects<Pick<FunctionGroupRpc, "push">>[];
}

/**
 * Hands acknowledged records to the objects of their partitions, one call per group, topic and
 * partition. A push that fails costs latency and no event: the object's alarm and the sweep read the
 * log. Answers how many calls failed.
 */
export async function pushRecords(
  targets: PushTargets,
  published: readonly PublishedRecord[],
): Promise<number> {
  const batches = groupByPartition(published);
  const calls = batches.map(({ partition, ...batch }) =>
    targets.partitions.call(partition, (object) => object.push(batch)),
  );
  return countFailures([...calls, ...callFunctions(targets, batches)]);
}

/** Hands over one record and waits up to `waitMs` for what becomes of it. @throws {Problem} */
export async function pushAndWait(
  { partitions }: Pick<PushTargets, "partitions">,
  published: PublishedRecord,
  waitMs: number,
): Promise<PushResult> {
  const [group] = groupByPartition([published]);
  if (group === undefined) throw new TypeError("One record makes one group");
  const { partition, ...batch } = group;
  return partitions.call(partition, (object) => object.push({ ...batch, waitMs }));
}

/** Hands records to the groups of functions that read them, which nobody waits for. Answers how many calls failed. */
export function pushToFunctions(
  targets: Pick<PushTargets, "readersOf">,
  published: readonly PublishedRecord[],
): Promise<number> {
  return countFailures(callFunctions(targets, groupByPartition(published)));
}

function callFunctions(
  { readersOf }: Pick<PushTargets, "readersOf">,
  batches: readonly PartitionBatch[],
): Promise<unknown>[] {
  return batches.flatMap(({ partition, ...batch }) =>
    readersOf(batch.topic).map((objects) => objects.call(partition, (object) => object.push(batch))),
  );
}

async function countFailures(calls: readonly Promise<unknown>[]): Promise<number> {
  const settled = await Promise.allSettled(calls);
  return settled.filter((call) => call.status === "rejected").length;
}

/**
 * In each group the records keep their order, which is the order of their offsets. A topic that was
 * made again between two attempts is another group.
 */
function groupByPartition(published: readonly PublishedRecord[]): PartitionBatch[] {
  const groups = new Map<string, PartitionBatch>();
  for (const { record, topic, topicId, offset, timestamp } of published) {
    const name = `${topic}/${record.partition}/${topicId ?? ""}`;
    let group = groups.get(name);
    if (group === undefined) {
      group = {
        topic,
        partition: record.partition,
        ...(topicId === undefined ? {} : { topicId }),
        offsets: [],
        timestamps: [],
        keys: [],
        values: [],
        headers: [],
      };
      groups.set(name, group);
    }
    group.offsets.push(offset);
    group.timestamps.push(timestamp);
    group.keys.push(record.key);
    group.values.push(record.value);
    group.headers.push(encodeHeaders(record.headers));
  }
  return [...groups.values()];
}

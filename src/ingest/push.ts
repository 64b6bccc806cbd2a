import { encodeHeaders } from "../kafka/header-text.ts";
import type { PushBatch, PushResult } from "../../durable-objects/rpc.ts";
import type { Partitions } from "../partitions.ts";
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

/**
 * Hands acknowledged records to their partitions' objects, one call per topic and partition. A
 * push that fails costs latency and no event: the object's alarm and the sweep read the log.
 * Answers how many calls failed.
 */
export async function pushRecords(
  partitions: Partitions,
  published: readonly PublishedRecord[],
): Promise<number> {
  const calls = groupByPartition(published).map(({ partition, ...batch }) =>
    partitions.call(partition, (object) => object.push(batch)),
  );
  const settled = await Promise.allSettled(calls);
  return settled.filter((call) => call.status === "rejected").length;
}

/** Hands over one record and waits up to `waitMs` for what becomes of it. @throws {Problem} */
export async function pushAndWait(
  partitions: Partitions,
  published: PublishedRecord,
  waitMs: number,
): Promise<PushResult> {
  const [group] = groupByPartition([published]);
  if (group === undefined) throw new TypeError("One record makes one group");
  const { partition, ...batch } = group;
  return partitions.call(partition, (object) => object.push({ ...batch, waitMs } satisfies PushBatch));
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

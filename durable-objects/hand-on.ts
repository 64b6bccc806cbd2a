import { encodeHeaders } from "../src/kafka/header-text.ts";
import type { ProduceRecord } from "../src/kafka/port.ts";
import { describeError, type Logger } from "../src/lib/log.ts";
import type { TopicRole } from "../src/topics.ts";
import type { AppendedPlace, HandOn } from "./dependencies.ts";
import type { PushBatch } from "./rpc.ts";

export interface HandOnHost {
  readonly logger: Logger;
  /** Groups that read a topic. */
  readersOf(topic: TopicRole): readonly string[];
  /** Hands a batch to the object of a group and this partition. */
  push(group: string, batch: PushBatch<TopicRole>): Promise<unknown>;
}

/**
 * Hands what was appended to those who read it, tried once more where it fails. Nothing waits for
 * it: a reader that was not reached finds the records when it is woken, or with the next push, whose
 * gap makes it ask the log.
 */
export function createHandOn(host: HandOnHost): HandOn {
  return (topic, records, places) => {
    const readers = host.readersOf(topic);
    if (readers.length === 0) return;
    const batch = batchOf(topic, records, places);
    for (const group of readers) void pushTwice(host, group, batch);
  };
}

async function pushTwice(host: HandOnHost, group: string, batch: PushBatch<TopicRole>): Promise<void> {
  try {
    await host.push(group, batch).catch(() => host.push(group, batch));
  } catch (error) {
    host.logger("warn", "push-failed", { group, topic: batch.topic, error: describeError(error) });
  }
}

function batchOf(
  topic: TopicRole,
  records: readonly ProduceRecord[],
  places: readonly AppendedPlace[],
): PushBatch<TopicRole> {
  const topicId = places[0]?.topicId;
  return {
    topic,
    ...(topicId === undefined ? {} : { topicId }),
    offsets: places.map(({ offset }) => offset),
    timestamps: places.map(({ timestamp }) => timestamp),
    keys: records.map(({ key }) => key),
    values: records.map(({ value }) => value),
    headers: records.map(({ headers }) => encodeHeaders(headers)),
  };
}

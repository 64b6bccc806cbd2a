import { Kafka, type Producer } from "@upstash/kafka";
import type { Clock } from "../lib/clock.ts";
import { systemClock } from "../lib/clock.ts";
import { positionOf, topicIdsOf } from "./answer-headers.ts";
import {
  type FetchAnswer,
  type KafkaLog,
  LogError,
  type LogOffset,
  type LogRecord,
  type ProduceRecord,
  type ProduceResult,
  type TopicPartitionOffset,
} from "./port.ts";
import { createTransports, errorFromStatus, type UpstashTransport } from "./transport.ts";

export interface UpstashSettings {
  /** Where the log speaks Upstash's REST protocol, without a trailing path. */
  readonly url: string;
  readonly username: string;
  readonly password: string;
  readonly clock?: Clock;
  readonly fetch?: typeof fetch;
}

/** The log behind Upstash's REST protocol, through `@upstash/kafka`. Holds no state between calls. */
export function createUpstashLog(settings: UpstashSettings): KafkaLog {
  const transportUntil = createTransports({
    ...settings,
    clock: settings.clock ?? systemClock,
    // Called as a plain function: Workers' `fetch` refuses another `this`.
    fetch: settings.fetch ?? ((input, init) => fetch(input, init)),
  });
  return {
    produce: async (records, deadline) => {
      if (records.length === 0) return [];
      const transport = transportUntil(deadline);
      // The client's types ask for mutable arrays; it copies each record and writes to none.
      const messages = records as Parameters<Producer["produceMany"]>[0];
      const answer = await clientOver(transport).producer().produceMany(messages);
      return readProduced(answer, records, topicIdsOf(transport.answered));
    },
    fetch: async (from, deadline) => {
      const transport = transportUntil(deadline);
      // Without `parallel` the client posts the request as it is, once.
      const request = { ...from, timeout: 0 };
      const answer = await clientOver(transport).consumer().fetch(request, { parallel: false });
      return readFetched(answer, from, transport.answered);
    },
    offsets: async (at, partitions, deadline) => {
      if (partitions.length === 0) return [];
      const transport = transportUntil(deadline);
      const request = { timestamp: at, topicPartitions: [...partitions] };
      const answer = await clientOver(transport).admin().topicPartitionOffsets(request);
      return readOffsets(answer, topicIdsOf(transport.answered));
    },
    topics: async (deadline) => readTopics(await clientOver(transportUntil(deadline)).admin().topics()),
  };
}

/**
 * The client with its HTTP layer replaced. Its own sends a failed request, also a refused one,
 * six times over 15 s, has no time-out and takes no signal, and offers no option for any of it.
 * `client` is private in its types and a plain field in fact, read whenever a producer, consumer
 * or admin is made; `get` and `post` are all that these call on it.
 */
function clientOver(transport: UpstashTransport): Kafka {
  const kafka = new Kafka({ url: "", username: "", password: "" });
  Object.defineProperty(kafka, "client", { value: transport });
  return kafka;
}

type TopicIds = ReturnType<typeof topicIdsOf>;

/** The member that says which topic it is, where the server tells. */
function idOf(topicIds: TopicIds, topic: string): { readonly topicId?: string } {
  const topicId = topicIds.get(topic);
  return topicId === undefined ? {} : { topicId };
}

function readProduced(
  answer: unknown,
  records: readonly ProduceRecord[],
  topicIds: TopicIds,
): ProduceResult[] {
  if (!Array.isArray(answer) || answer.length !== records.length) {
    throw unreadable("unknown", "produce does not answer one entry a record");
  }
  return answer.map((entry, index) => readProducedOne(entry, idOf(topicIds, records[index]?.topic ?? "")));
}

/** A record's coordinates, or `{error, status}` where it alone failed: the bridge's extension. */
function readProducedOne(entry: unknown, ofTopic: { readonly topicId?: string }): ProduceResult {
  if (isObject(entry)) {
    const { offset, timestamp, error, status } = entry;
    if (isCount(offset) && isCount(timestamp)) return { ok: true, offset, timestamp, ...ofTopic };
    if (typeof error === "string" && typeof status === "number") {
      return { ok: false, error: errorFromStatus(status, entry, "unknown") };
    }
  }
  throw unreadable("unknown", "an entry of produce has neither coordinates nor an error");
}

function readFetched(answer: unknown, from: TopicPartitionOffset, headers: Headers | undefined): FetchAnswer {
  const ofPartition = (entry: unknown): entry is LogRecord =>
    isLogRecord(entry) && entry.topic === from.topic && entry.partition === from.partition;
  if (!Array.isArray(answer) || !answer.every(ofPartition)) {
    throw unreadable("none", "fetch does not answer an array of this partition's records");
  }
  return { records: answer, ...positionOf(headers, from), ...idOf(topicIdsOf(headers), from.topic) };
}

function readOffsets(answer: unknown, topicIds: TopicIds): LogOffset[] {
  if (Array.isArray(answer) && answer.every(isTopicPartitionOffset)) {
    return answer.map((entry) => ({ ...entry, ...idOf(topicIds, entry.topic) }));
  }
  throw unreadable("none", "offsets does not answer an array of offsets");
}

function readTopics(answer: unknown): Record<string, number> {
  if (isObject(answer) && Object.values(answer).every(isCount)) return answer as Record<string, number>;
  throw unreadable("none", "topics does not answer partition counts");
}

function unreadable(effect: LogError["effect"], what: string): LogError {
  return new LogError("unavailable", effect, `The log's answer cannot be read: ${what}`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function isTopicPartitionOffset(value: unknown): value is TopicPartitionOffset {
  return (
    isObject(value) && typeof value.topic === "string" && isCount(value.partition) && isCount(value.offset)
  );
}

function isLogRecord(value: unknown): value is LogRecord {
  return (
    isTopicPartitionOffset(value) &&
    isObject(value) &&
    // Another producer may have written -1, Kafka's "no timestamp".
    Number.isSafeInteger(value.timestamp) &&
    typeof value.key === "string" &&
    typeof value.value === "string" &&
    Array.isArray(value.headers)
  );
}

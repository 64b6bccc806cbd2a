import { partitionFor } from "../../src/kafka/partitioner.ts";
import { errorBody, HttpError, toHttpError } from "./http-error.ts";
import type { Exchange } from "./exchange.ts";
import { type AppendRecord, type AppendResult, decodeText, type JsonSlice } from "../log.ts";
import type { Message } from "./messages.ts";
import { type Reply, topicIdsHeader } from "./reply.ts";
import { forbidden, type Rights } from "./rights.ts";

/** What decides over a message, whatever the log says of it. */
interface Bounds {
  readonly topics: ReadonlyMap<string, number>;
  /** Of one record. */
  readonly maxBytes: number;
  readonly mayWrite: (topic: string) => boolean;
}

/** What one call may write, and for each of its messages that may not be written the reason. */
interface Admission {
  readonly records: AppendRecord[];
  /** By the message's index. */
  readonly refused: Map<number, HttpError>;
}

/**
 * Appends messages and answers Upstash's metadata for each, in order.
 *
 * A record that failed has `{"error","status"}` in its place. What fails of one partition is a
 * suffix: behind a record that cannot be written, nothing of the same call goes into its
 * partition, so a client that sends the rest again keeps the order.
 * @throws {HttpError} when nothing was written: the first record's reason.
 */
export async function produce(
  { log, limits, rights }: Pick<Exchange, "log" | "limits" | "rights">,
  messages: readonly Message[],
): Promise<Reply & { readonly body: string }> {
  const named = new Set(messages.map(({ topic }) => topic));
  const bounds = {
    topics: await log.topics(named),
    maxBytes: limits.maxRecordBytes,
    mayWrite: writable(rights),
  };
  const admission = admit(bounds, messages);
  const { records } = admission;
  const results = records.length === 0 ? [] : await log.append(records);
  const body = answer(messages, admission, results);
  const count = results.reduce((sum, result) => ("failure" in result ? sum : sum + 1), 0);
  return { body, headers: idsOf(records, results), records: { direction: "in", count } };
}

/** A batch names few topics, mostly one after the other: the last answer is kept. */
function writable(rights: Rights): (topic: string) => boolean {
  let last: string | null = null;
  let allowed = false;
  return (topic) => {
    if (topic !== last) {
      last = topic;
      allowed = rights.allows("produce", topic);
    }
    return allowed;
  };
}

/** The ids of the topics that took a record. */
function idsOf(records: readonly AppendRecord[], results: readonly AppendResult[]): Record<string, string> {
  const ids = new Map<string, string>();
  for (const [index, { topic }] of records.entries()) {
    const result = results[index];
    if (result !== undefined && "topicId" in result) ids.set(topic, result.topicId);
  }
  return topicIdsHeader([...ids].map(([topic, topicId]) => ({ topic, topicId })));
}

/** Chooses partitions where the client has not, and keeps back what may not be written. */
function admit(bounds: Bounds, messages: readonly Message[]): Admission {
  const records: AppendRecord[] = [];
  const refused = new Map<number, HttpError>();
  const blocked = new Set<string>();
  // Records without a key and a partition stay together, as Kafka's sticky partitioner has them.
  const sticky = Math.random();
  for (const [index, message] of messages.entries()) {
    const count = bounds.topics.get(message.topic) ?? 0;
    const record = addressed(message, count, sticky);
    const error =
      refusal(record, count, bounds) ??
      (blocked.size > 0 && blocked.has(address(record)) ? precededByFailure() : null);
    if (error === null) {
      records.push(record);
    } else {
      refused.set(index, error);
      blocked.add(address(record));
    }
  }
  return { records, refused };
}

function addressed(message: Message, count: number, sticky: number): AppendRecord {
  if (hasPartition(message)) return message;
  if (count === 0) return { ...message, partition: 0 };
  const { key } = message;
  const partition = key === null ? Math.floor(sticky * count) : partitionFor(decodeText(key), count);
  return { ...message, partition };
}

function hasPartition(message: Message): message is Message & { readonly partition: number } {
  return message.partition !== null;
}

function address({ topic, partition }: AppendRecord): string {
  return `${topic}/${partition}`;
}

/** Rights come first: whether a topic out of reach exists is not told. */
function refusal(record: AppendRecord, count: number, { maxBytes, mayWrite }: Bounds): HttpError | null {
  if (!mayWrite(record.topic)) return forbidden("produce", record.topic);
  if (record.partition < 0 || record.partition >= count) {
    return new HttpError(404, `unknown topic or partition: ${address(record)}`);
  }
  if (sizeIsAbove(record, maxBytes)) {
    return new HttpError(413, `a record takes at most ${maxBytes} bytes`);
  }
  return null;
}

/** The record itself is good: 503 says that it may be sent again. */
function precededByFailure(): HttpError {
  return new HttpError(503, "not written: a record before it in its partition failed");
}

/** JSON never shortens a text, so the bytes are counted only where the written form is too long. */
function sizeIsAbove({ key, value, headers }: AppendRecord, maxBytes: number): boolean {
  const written = headers.end - headers.start + value.end - value.start;
  if (written + (key === null ? 0 : key.end - key.start) <= maxBytes) return false;
  return byteLength(key) + byteLength(value) + headersLength(headers) > maxBytes;
}

function byteLength(slice: JsonSlice | null): number {
  return slice === null ? 0 : Buffer.byteLength(decodeText(slice));
}

function headersLength({ bytes, start, end }: JsonSlice): number {
  const headers = JSON.parse(bytes.toString("utf8", start, end)) as { key: string; value: string }[];
  return headers.reduce((sum, one) => sum + Buffer.byteLength(one.key) + Buffer.byteLength(one.value), 0);
}

function answer(
  messages: readonly Message[],
  { records, refused }: Admission,
  results: readonly AppendResult[],
): string {
  let failures = 0;
  let first: HttpError | null = null;
  let next = 0;
  let text = "";
  for (let index = 0; index < messages.length; index++) {
    const known = refused.size > 0 ? refused.get(index) : undefined;
    const outcome = known ?? outcomeOf(records[next], results[next]);
    if (known === undefined) next++;
    if (typeof outcome !== "string") {
      failures++;
      first ??= outcome;
    }
    text += (index === 0 ? "" : ",") + (typeof outcome === "string" ? outcome : errorBody(outcome));
  }
  if (first !== null && failures === messages.length) throw first;
  return `[${text}]`;
}

/** The metadata of a record that is in, or why it is not. */
function outcomeOf(record?: AppendRecord, result?: AppendResult): string | HttpError {
  if (record === undefined || result === undefined) throw new TypeError("the log left out a result");
  if ("failure" in result) return toHttpError(result.failure);
  // A topic that has taken a record bears a name of Kafka's, which JSON writes as it is.
  return `{"topic":"${record.topic}","partition":${record.partition},"offset":${result.offset},"timestamp":${result.timestamp}}`;
}

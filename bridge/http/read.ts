import type { Exchange } from "./exchange.ts";
import { HttpError } from "./http-error.ts";
import type { Limits } from "../limits.ts";
import type { EncodedRecords, OffsetsAt, PartitionRead, ReadResult, TopicPartitionOffset } from "../log.ts";
import { positionsHeader, type Reply, topicIdsHeader } from "./reply.ts";
import { requireRight } from "./rights.ts";
import { object, timeout, topicPartition, topicPartitionOffset } from "./validate.ts";

export const DEFAULT_WAIT_MS = 1_000;
const SEPARATOR_BYTES = ",\n".length;
const OPENING = Buffer.from("[");
const CLOSING = Buffer.from("]");
const MOST_PARTS = 64;

/** Reads records at offsets, waiting up to the body's timeout for a first one. */
export async function fetchRecords(exchange: Exchange, body: unknown): Promise<Reply> {
  const { log, limits, rights } = exchange;
  const fields = object(body, "");
  const positions: TopicPartitionOffset[] = [];
  if ((fields["topic"] ?? null) !== null) positions.push(topicPartitionOffset(body, ""));
  const more = fields["topicPartitionOffsets"] ?? [];
  if (!Array.isArray(more)) throw new HttpError(400, "topicPartitionOffsets must be an array");
  for (const [index, position] of more.entries()) {
    positions.push(topicPartitionOffset(position, `topicPartitionOffsets[${index}].`));
  }
  if (positions.length === 0) throw new HttpError(400, "topic must be a string");
  checkBatch(positions.length, limits);
  for (const { topic } of positions) requireRight(rights, "fetch", topic);
  const timeoutMs = timeout(fields["timeout"], DEFAULT_WAIT_MS, limits.maxWaitMs);
  const read = await log.read({
    positions,
    maxBytes: limits.maxAnswerBytes,
    timeoutMs,
    signal: exchange.waitSignal(),
  });
  // A read has no effect, so its answer may still be refused where clients take theirs too slowly.
  exchange.reserve(byteLength(read.records));
  return { ...recordsReply(read), reserved: true };
}

export function byteLength(records: EncodedRecords): number {
  return records.reduce((sum, { length }) => sum + length, 0);
}

/** What was read, as an answer. */
export function recordsReply({ records, count, partitions }: ReadResult): Reply {
  return {
    body: toArray(records),
    headers: readHeaders(partitions),
    records: { direction: "out", count },
  };
}

function readHeaders(partitions: readonly PartitionRead[]): Record<string, string> {
  return { ...positionsHeader(partitions), ...topicIdsHeader(partitions) };
}

/**
 * Encoded records end in a separator: without the last one they are an array's inside. They are
 * answered as they are, since each byte copied once more is garbage whose collection costs more
 * than the copy; only many small ones are joined, which is cheaper than as many writes.
 */
function toArray(records: EncodedRecords): readonly Uint8Array[] {
  const last = records.at(-1);
  if (last === undefined) return [Buffer.from("[]")];
  const inside = [...records.slice(0, -1), last.subarray(0, last.length - SEPARATOR_BYTES)];
  const parts = [OPENING, ...inside, CLOSING];
  return parts.length > MOST_PARTS ? [Buffer.concat(parts)] : parts;
}

/** The offsets of one or several partitions at `earliest`, `latest` or a time in milliseconds. */
export async function listOffsets(exchange: Exchange, body: unknown, at: string): Promise<Reply> {
  const { log, limits, rights } = exchange;
  const several = Array.isArray(body);
  const list: readonly unknown[] = several ? body : [body];
  checkBatch(list.length, limits);
  const wanted = list.map((value, index) => topicPartition(value, several ? `[${index}].` : ""));
  for (const { topic } of wanted) requireRight(rights, "fetch", topic);
  const found = await log.offsets(offsetsAt(at), wanted);
  const offsets = found.map(({ topic, partition, offset }) => ({ topic, partition, offset }));
  return { body: JSON.stringify(offsets), headers: topicIdsHeader(found) };
}

function offsetsAt(at: string): OffsetsAt {
  if (at === "earliest" || at === "latest") return at;
  const time = /^\d{1,16}$/.test(at) ? Number(at) : Number.NaN;
  if (Number.isSafeInteger(time)) return time;
  throw new HttpError(400, "offsets are asked for at a time in milliseconds, earliest or latest");
}

/** @throws {HttpError} 413 */
export function checkBatch(count: number, limits: Limits): void {
  if (count > limits.maxBatch) {
    throw new HttpError(413, `a request takes at most ${limits.maxBatch} partitions`);
  }
}

import type { AppendRecord, JsonSlice } from "../log.ts";
import { type Copied, copyJsonText } from "./json-text.ts";
import { writeVarint } from "./varint.ts";

/**
 * A record without what depends on its batch: key, value and headers as Kafka writes them, and its
 * timestamp. Made when a request comes in, so that a batch is put together by copying.
 */
export interface EncodedRecord {
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  /** Key, value and headers of Kafka's record format (v2), lengths included. */
  readonly content: Buffer;
}

/** Lengths and counts are variable; five bytes hold any. */
const MAX_VARINT_BYTES = 5;
/** Names and punctuation of the shortest header: `{"key":"","value":""},`. */
const HEADER_BYTES = '{"key":"","value":""},'.length;
const KEY_AT = '{"key":'.length;
const VALUE_AT = ',"value":'.length;
const BEHIND_VALUE = "},".length;

/** Nothing is kept between calls but room to write in: a call does not wait for anything. */
let scratch = Buffer.allocUnsafeSlow(64 * 1024);
const copied: Copied = { source: 0, target: 0 };

/**
 * Encodes what a client sent as JSON.
 * @throws {LoneSurrogateError} for a text that UTF-8 cannot write
 */
export function encodeRecord({ timestamp, key, value, headers }: AppendRecord): EncodedRecord {
  const size = (key === null ? 0 : lengthOf(key)) + lengthOf(value) + 2 * lengthOf(headers);
  if (size + 16 * MAX_VARINT_BYTES > scratch.length) scratch = Buffer.allocUnsafeSlow(2 * size + 4_096);
  let end = key === null ? writeNull(0) : writeText(key.bytes, key.start, 0);
  end = writeText(value.bytes, value.start, end);
  end = writeHeaders(headers, end);
  const content = Buffer.allocUnsafe(end);
  scratch.copy(content, 0, 0, end);
  return { timestamp, content };
}

function lengthOf({ start, end }: JsonSlice): number {
  return end - start;
}

function writeNull(at: number): number {
  return writeVarint(scratch, at, -1);
}

/**
 * Writes a text behind its length. The length is known only afterwards, so room is left for the
 * longest and the text is moved up to it. `copied.source` is behind the text's closing quote.
 */
function writeText(bytes: Buffer, start: number, at: number): number {
  const textAt = at + MAX_VARINT_BYTES;
  copyJsonText(bytes, start, scratch, textAt, copied);
  const length = copied.target - textAt;
  const begin = writeVarint(scratch, at, length);
  scratch.copyWithin(begin, textAt, textAt + length);
  return begin + length;
}

/** Headers come as JSON in exactly one form (messages.ts), so their places need no search. */
function writeHeaders({ bytes, start, end }: JsonSlice, at: number): number {
  const count = countHeaders(bytes, start, end);
  let write = writeVarint(scratch, at, count);
  let read = start + 1;
  for (let index = 0; index < count; index++) {
    write = writeText(bytes, read + KEY_AT, write);
    write = writeText(bytes, copied.source + VALUE_AT, write);
    read = copied.source + BEHIND_VALUE;
  }
  return write;
}

function countHeaders(bytes: Buffer, start: number, end: number): number {
  if (end - start < HEADER_BYTES) return 0;
  let count = 0;
  for (let read = start + 1; read < end - 1; count++) {
    const valueAt = endOfString(bytes, read + KEY_AT) + VALUE_AT;
    read = endOfString(bytes, valueAt) + BEHIND_VALUE;
  }
  return count;
}

/** Behind the closing quote of a string that begins here. */
function endOfString(bytes: Buffer, start: number): number {
  let position = start + 1;
  while (bytes[position] !== 0x22) position += bytes[position] === 0x5c ? 2 : 1;
  return position + 1;
}

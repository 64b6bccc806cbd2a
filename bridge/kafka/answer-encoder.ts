import type { CommittedRecord } from "./committed-records.ts";
import { RECORD_END } from "../log.ts";

/** Records in the form of a fetch's answer, cut where the next one would pass the bound. */
export interface EncodedRun {
  readonly bytes: Buffer;
  readonly count: number;
}

/**
 * Writes records as JSON, at most `maxBytes` of them; with `atLeastOne` the first comes although it
 * is larger. What is not UTF-8 shows as U+FFFD, and a missing value, which Upstash's protocol does
 * not know, as "": the record itself stays as it is in the log.
 */
export function encodeAnswer(
  prefix: string,
  records: readonly CommittedRecord[],
  maxBytes: number,
  atLeastOne: boolean,
): EncodedRun {
  const parts: string[] = [];
  let bytes = 0;
  let count = 0;
  for (const record of records) {
    if (bytes + sizeOf(record) > maxBytes && !(atLeastOne && count === 0)) break;
    const text = encode(prefix, record);
    const length = Buffer.byteLength(text);
    if (bytes + length > maxBytes && !(atLeastOne && count === 0)) break;
    bytes += length;
    parts.push(text);
    count++;
  }
  return { bytes: Buffer.from(parts.join("")), count };
}

/** A lower bound of the encoded size: JSON never shortens a text. */
function sizeOf({ key, value }: CommittedRecord): number {
  return (key?.length ?? 0) + (value?.length ?? 0);
}

function encode(prefix: string, { offset, timestamp, key, value, headers }: CommittedRecord): string {
  const fields = `${prefix}${offset},"timestamp":${timestamp},"key":${jsonText(key)},"value":${jsonText(value)}`;
  if (headers.length === 0) return `${fields},"headers":[]${RECORD_END}`;
  const list = headers.map(([name, content]) => `{"key":${jsonText(name)},"value":${jsonText(content)}}`);
  return `${fields},"headers":[${list.join(",")}]${RECORD_END}`;
}

function jsonText(bytes: Buffer | null): string {
  return bytes === null ? '""' : JSON.stringify(bytes.toString());
}

/** What comes before the offset in an encoded record. A topic's name needs no escaping. */
export function answerPrefix(topic: string, partition: number): string {
  return `{"topic":"${topic}","partition":${partition},"offset":`;
}

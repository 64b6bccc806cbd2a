import type { RecordHeader } from "../../kafka/port.ts";
import { hasDisallowed } from "../../lib/text.ts";
import { formatTimestamp, parseTimestamp } from "../../lib/time.ts";
import { parseTraceContext } from "../../lib/trace-context.ts";
import type { FunctionRecord } from "../function.ts";
import { isJsonType } from "./json-type.ts";

/** A record as a CloudEvent 1.0. */
export interface CloudEvent {
  /** Names are lower-case letters and digits; `datacontenttype` is told by the data. */
  readonly attributes: ReadonlyMap<string, string | number>;
  /** Absent where the record has no value. */
  readonly data?: EventData;
}

export interface EventData {
  readonly contentType: string;
  /** A JSON document where the content type says so, else any text. */
  readonly text: string;
  readonly isJson: boolean;
}

/** The type of a record that names none: another producer's, which knows nothing of CloudEvents. */
export const plainRecordType = "gavel.record.v1";

/** What a record may not set: the version is this one's, and the rest is said by the data. */
const reservedNames = new Set(["specversion", "datacontenttype", "data"]);
const attributeName = /^[a-z0-9]+$/;
const mediaType = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+[ \t]*(?:;[\x20-\x7e]*)?$/;
const latestTime = Date.parse("9999-12-31T23:59:59.999Z");

/**
 * Reads a record in the binary mode of the Kafka binding: attributes in `ce_` headers, data in the
 * value. Always makes an event that holds to the specification: what a record lacks is made of its
 * coordinates, what no attribute may be called is left out, and a value that is not the JSON which
 * it is declared to be is sent as text, so that no record is one that cannot be sent.
 * Source: CloudEvents 1.0.2, its Kafka protocol binding, and the extensions `partitionkey` and
 * `traceparent`.
 */
export function cloudEventOf(record: FunctionRecord): CloudEvent {
  const { topic, partition, offset } = record;
  const carried = carriedAttributes(record.headers);
  const time = timeOf(carried.get("time"), record.timestamp);
  carried.delete("time");
  const attributes = new Map<string, string | number>([
    ["specversion", "1.0"],
    ["id", `${topic}/${partition}/${offset}`],
    ["source", `/topics/${topic}`],
    ["type", plainRecordType],
    ...(time === undefined ? [] : [["time", time] as const]),
    ...carried,
    ...(record.key === "" ? [] : [["partitionkey", attributeText(record.key)] as const]),
    ["gaveldelivery", record.id],
    ["gaveltopic", topic],
    ["gavelpartition", partition],
    // A text: an Integer of CloudEvents has 32 bits, and an offset 64.
    ["gaveloffset", String(offset)],
    ["gavelattempt", record.attempt],
  ]);
  const data = dataOf(record);
  return data === undefined ? { attributes } : { attributes, data };
}

function carriedAttributes(headers: readonly RecordHeader[]): Map<string, string> {
  const attributes = new Map<string, string>();
  for (const { key, value } of headers) {
    const name = key.startsWith("ce_") ? key.slice("ce_".length) : "";
    if (!attributeName.test(name) || reservedNames.has(name) || value === "") continue;
    attributes.set(name, attributeText(value));
  }
  // What is no trace is not handed on as one.
  if (parseTraceContext(attributes.get("traceparent"), undefined) === null) {
    attributes.delete("traceparent");
    attributes.delete("tracestate");
  }
  return attributes;
}

/** A String of CloudEvents: what it may not hold gives way to the sign for such. */
function attributeText(value: string): string {
  const text = value.toWellFormed();
  return hasDisallowed(text) ? text.replaceAll(/[\p{Cc}\p{Noncharacter_Code_Point}]/gu, "\u{fffd}") : text;
}

/** The event's own time, else the record's; none where that is none either (Kafka's -1). */
function timeOf(own: string | undefined, timestamp: number): string | undefined {
  if (own !== undefined && parseTimestamp(own) !== null) return own;
  return timestamp >= 0 && timestamp <= latestTime ? formatTimestamp(timestamp) : undefined;
}

function dataOf({ headers, value }: FunctionRecord): EventData | undefined {
  if (value === "") return undefined;
  const text = value.toWellFormed();
  const contentType = contentTypeOf(headers);
  if (!isJsonType(contentType)) return { contentType, text, isJson: false };
  if (isJson(text)) return { contentType, text, isJson: true };
  return { contentType: "text/plain; charset=utf-8", text, isJson: false };
}

/** JSON where the record says nothing, or nothing that a header may hold. */
function contentTypeOf(headers: readonly RecordHeader[]): string {
  const declared = headers.findLast(({ key }) => key === "content-type")?.value ?? "";
  // Beside `ce-` headers it would say that the data is the event.
  const isWholeEvent = /^application\/cloudevents/i.test(declared);
  return mediaType.test(declared) && !isWholeEvent ? declared : "application/json";
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

import { HttpError } from "./http-error.ts";
import type { RecordHeader, TopicPartition, TopicPartitionOffset } from "./log.ts";

/** A record as a client sends it; the topic is in the body or in the path. */
export interface Message {
  readonly topic: string;
  readonly partition: number | null;
  readonly key: string | null;
  readonly value: string;
  readonly timestamp: number | null;
  readonly headers: readonly RecordHeader[];
}

type Fields = Readonly<Record<string, unknown>>;

const NO_HEADERS: readonly RecordHeader[] = [];

/** @throws {HttpError} 400 that names the place, for whatever is not a message. */
export function message(value: unknown, topic: string | null, place: string): Message {
  const fields = object(value, place);
  return {
    topic: topic ?? text(fields["topic"], place, "topic"),
    partition: optionalInteger(fields["partition"], place, "partition"),
    key: optionalText(fields["key"], place, "key"),
    value: text(fields["value"], place, "value"),
    timestamp: optionalTimestamp(fields["timestamp"], place),
    headers: headers(fields["headers"], place),
  };
}

export function topicPartition(value: unknown, place: string): TopicPartition {
  const fields = object(value, place);
  return {
    topic: text(fields["topic"], place, "topic"),
    partition: integer(fields["partition"], place, "partition"),
  };
}

export function topicPartitionOffset(value: unknown, place: string): TopicPartitionOffset {
  const offset = integer(object(value, place)["offset"], place, "offset");
  if (offset < 0) throw malformed(place, "offset", "must not be negative");
  return { ...topicPartition(value, place), offset };
}

/** Milliseconds; a fraction is cut off. @throws {HttpError} 400 when negative or not a number. */
export function timeout(value: unknown, fallback: number, limit: number): number {
  if (value === undefined || value === null) return fallback;
  if (typeof value === "number" && value >= 0) return Math.min(Math.floor(value), limit);
  throw malformed("", "timeout", "must be a number of milliseconds");
}

export function object(value: unknown, place: string): Fields {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Fields;
  throw new HttpError(400, `${place === "" ? "the body" : place}: must be an object`);
}

function text(value: unknown, place: string, name: string): string {
  if (typeof value === "string") return value;
  throw malformed(place, name, "must be a string");
}

function optionalText(value: unknown, place: string, name: string): string | null {
  return value === undefined || value === null ? null : text(value, place, name);
}

function integer(value: unknown, place: string, name: string): number {
  if (typeof value === "number" && Number.isSafeInteger(value)) return value;
  throw malformed(place, name, "must be an integer");
}

function optionalInteger(value: unknown, place: string, name: string): number | null {
  return value === undefined || value === null ? null : integer(value, place, name);
}

function optionalTimestamp(value: unknown, place: string): number | null {
  const timestamp = optionalInteger(value, place, "timestamp");
  if (timestamp === null || timestamp >= 0) return timestamp;
  throw malformed(place, "timestamp", "must not be negative");
}

function headers(value: unknown, place: string): readonly RecordHeader[] {
  if (value === undefined || value === null) return NO_HEADERS;
  if (!Array.isArray(value)) throw malformed(place, "headers", "must be an array");
  return value.map((header: unknown, index) => {
    const at = `${place}headers[${index}]`;
    const fields = object(header, at);
    return { key: text(fields["key"], `${at}.`, "key"), value: text(fields["value"], `${at}.`, "value") };
  });
}

function malformed(place: string, name: string, rule: string): HttpError {
  return new HttpError(400, `${place}${name}: ${rule}`);
}

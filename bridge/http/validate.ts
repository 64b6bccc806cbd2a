import { HttpError } from "./http-error.ts";
import type { TopicPartition, TopicPartitionOffset } from "../log.ts";

type Fields = Readonly<Record<string, unknown>>;

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

/** Texts, at least one. @throws {HttpError} 400 */
export function texts(value: unknown, name: string): string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [];
  if (list.length > 0 && list.every((one) => typeof one === "string")) return [...list];
  throw malformed("", name, name === "topic" ? "must be a string" : "must be an array of strings");
}

export function object(value: unknown, place: string): Fields {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Fields;
  throw new HttpError(400, `${place || "the body "}must be an object`);
}

function text(value: unknown, place: string, name: string): string {
  if (typeof value === "string") return value;
  throw malformed(place, name, "must be a string");
}

function integer(value: unknown, place: string, name: string): number {
  if (typeof value === "number" && Number.isSafeInteger(value)) return value;
  throw malformed(place, name, "must be an integer");
}

function malformed(place: string, name: string, rule: string): HttpError {
  return new HttpError(400, `${place}${name} ${rule}`);
}

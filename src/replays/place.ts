import { z } from "zod";
import { parseTimestamp } from "../lib/time.ts";

/** Where a stretch begins or ends, as a client may say it. */
export type Place =
  | { readonly kind: "offset"; readonly offset: number }
  /** One for each partition. */
  | { readonly kind: "offsets"; readonly offsets: readonly number[] }
  /** The first record at or after it, in milliseconds since the epoch. */
  | { readonly kind: "time"; readonly time: number };

const isOffset = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

/** In the words of JSON Schema, for the generated document. */
const offsetWords = { type: "integer", minimum: 0, maximum: Number.MAX_SAFE_INTEGER };

/** An offset, offsets for each of `partitions`, or a time. */
export function placeSchema(partitions: number) {
  return z
    .unknown()
    .transform((value, context): Place => {
      const time = typeof value === "string" ? parseTimestamp(value) : null;
      if (time !== null) return { kind: "time", time };
      if (isOffset(value)) return { kind: "offset", offset: value };
      if (Array.isArray(value) && value.length === partitions && value.every(isOffset)) {
        return { kind: "offsets", offsets: value };
      }
      const message = `must be an offset, a time of RFC 3339, or offsets of all ${partitions} partitions`;
      context.addIssue({ code: "custom", message });
      return z.NEVER;
    })
    .meta({
      anyOf: [{ type: "string", format: "date-time" }, offsetWords, { type: "array", items: offsetWords }],
    });
}

/** Whether it is certain, before the log is asked, that one place is behind another. */
export function isBehind(place: Place, other: Place): boolean {
  if (place.kind === "time") return other.kind === "time" && place.time > other.time;
  if (other.kind === "time") return false;
  if (place.kind === "offsets") return place.offsets.some((offset, index) => offset > offsetOf(other, index));
  return other.kind === "offset"
    ? place.offset > other.offset
    : other.offsets.some((offset) => place.offset > offset);
}

/** Of a place that is no time. */
export function offsetOf(place: Exclude<Place, { kind: "time" }>, partition: number): number {
  return place.kind === "offset" ? place.offset : (place.offsets[partition] ?? 0);
}

import { defaultLimits, type Limits } from "../limits.ts";
import type { Sources } from "./sources.ts";
import type { LimitOption } from "./table.ts";

/** The bounds of every limit: enough for any machine, and exact as a number. */
const HIGHEST = 2 ** 40;

const optionOf: Readonly<Record<keyof Limits, LimitOption>> = {
  maxBodyBytes: "max-body-bytes",
  maxRecordBytes: "max-record-bytes",
  maxBatch: "max-batch",
  maxAnswerBytes: "max-answer-bytes",
  maxWaitMs: "max-wait-ms",
  maxPendingBytes: "max-pending-bytes",
  maxTakeMs: "max-take-ms",
  maxConnections: "max-connections",
};

/** Timers of Node take no more. */
const LONGEST_MS = 2 ** 31 - 1;
/** A body becomes a string, in parts; V8's strings and buffers end a little above. */
const LARGEST_BYTES = 2 ** 29;

const highest: Partial<Record<keyof Limits, number>> = {
  maxBodyBytes: LARGEST_BYTES,
  maxRecordBytes: LARGEST_BYTES,
  maxAnswerBytes: LARGEST_BYTES,
  maxWaitMs: LONGEST_MS,
  maxTakeMs: LONGEST_MS,
};

/** @throws {Error} with a plain sentence. */
export function readLimits(from: Sources): Limits {
  const names = Object.keys(defaultLimits) as (keyof Limits)[];
  const entries = names.map((name) => [name, from.integer(optionOf[name], 1, highest[name] ?? HIGHEST)]);
  const limits = Object.fromEntries(entries) as unknown as Limits;
  if (limits.maxBodyBytes > limits.maxPendingBytes) {
    throw new Error("max-pending-bytes must be at least max-body-bytes: no large request would ever pass.");
  }
  return limits;
}

import { z } from "zod";
import { decodeHeaders, encodeHeaders } from "../kafka/header-text.ts";
import { deliveryId } from "./delivery-id.ts";
import type { FunctionRecord, Invocation, InvocationResult, Invoke, Outcome } from "./function.ts";
import { longestDelayMs } from "./http/retry-after.ts";

/**
 * An invocation as it crosses to another Worker, or to another invocation of this one: what is
 * structured-cloneable of it, in columns, since a batch of strings and numbers clones several times
 * faster than objects. A signal does not cross over; the deadline does.
 */
export interface FunctionBatch {
  readonly group: string;
  readonly function: string;
  /** Of all records: a call's come from one partition. */
  readonly topic: string;
  readonly partition: number;
  /** Milliseconds since the epoch. */
  readonly deadline: number;
  readonly offsets: readonly number[];
  readonly timestamps: readonly number[];
  readonly keys: readonly string[];
  readonly values: readonly string[];
  /** One record's headers as `encodeHeaders` writes them, an entry a record. */
  readonly headers: readonly string[];
  /** Each record's trace, continued with a span of this call; "" where it carries none. A Gavel of before has none. */
  readonly traceparents?: readonly string[];
  readonly tracestates?: readonly string[];
  readonly attempts: readonly number[];
}

/** What comes back; `done` says so of all records, and that nothing was made of them. */
export type BatchAnswer = InvocationResult | "done";

/** @throws {TypeError} without a record: a call has at least one */
export function batchOf({ group, function: name, records, deadline }: Invocation): FunctionBatch {
  const [first] = records;
  if (first === undefined) throw new TypeError("a call without records");
  return {
    group,
    function: name,
    topic: first.topic,
    partition: first.partition,
    deadline,
    offsets: records.map(({ offset }) => offset),
    timestamps: records.map(({ timestamp }) => timestamp),
    keys: records.map(({ key }) => key),
    values: records.map(({ value }) => value),
    headers: records.map(({ headers }) => encodeHeaders(headers)),
    traceparents: records.map(({ traceparent = "" }) => traceparent),
    tracestates: records.map(({ tracestate = "" }) => tracestate),
    attempts: records.map(({ attempt }) => attempt),
  };
}

/**
 * The other side: calls a function with what has come over, and makes its result an answer that
 * goes back. Rejects where the function does.
 */
export async function answerBatch(batch: FunctionBatch, target: Invoke): Promise<BatchAnswer> {
  const { group, function: name, deadline } = batch;
  // The runtime's own timer: one that is cleared costs more than the call's request.
  const signal = AbortSignal.timeout(Math.max(0, deadline - Date.now()));
  const records = recordsOf(batch);
  const result = await target({ group, function: name, records, deadline, signal });
  return isAllDone(result, records.length) ? "done" : result;
}

function recordsOf(batch: FunctionBatch): FunctionRecord[] {
  const { topic, partition, offsets, timestamps, keys, values, headers, attempts } = batch;
  const { traceparents = [], tracestates = [] } = batch;
  return offsets.map((offset, index) => ({
    id: deliveryId(topic, partition, offset, batch.function),
    topic,
    partition,
    offset,
    timestamp: timestamps[index] ?? 0,
    key: keys[index] ?? "",
    value: values[index] ?? "",
    // Made only where somebody asks for them.
    get headers() {
      return decodeHeaders(headers[index] ?? "");
    },
    traceparent: orNone(traceparents[index]),
    tracestate: orNone(tracestates[index]),
    attempt: attempts[index] ?? 1,
  }));
}

function orNone(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}

/** Whether an answer says of all records that they are done, and that nothing was made of them: most do. */
export function isAllDone(told: unknown, count: number): told is InvocationResult {
  if (typeof told !== "object" || told === null) return false;
  const { outcomes, failure, isGone } = told as Partial<Record<keyof InvocationResult, unknown>>;
  if (failure !== undefined || isGone !== undefined) return false;
  return Array.isArray(outcomes) && outcomes.length === count && outcomes.every(isDoneAlone);
}

function isDoneAlone(told: unknown): boolean {
  if (typeof told !== "object" || told === null) return false;
  const { status, outputs } = told as { readonly status?: unknown; readonly outputs?: unknown };
  return status === "done" && outputs === undefined;
}

/** In characters: reasons go into storage and dead letters. */
export const longestReason = 500;

const reason = z.string().transform((text) => text.slice(0, longestReason));
const delayMs = z
  .number()
  .nonnegative()
  .transform((milliseconds) => Math.min(milliseconds, longestDelayMs))
  .exactOptional();

const outcome = z.discriminatedUnion("status", [
  z.object({
    status: z.literal("done"),
    outputs: z
      .array(
        z.object({
          topic: z.literal("validated"),
          type: z.string().min(1).max(200),
          data: z.record(z.string(), z.unknown()),
        }),
      )
      .exactOptional(),
  }),
  z.object({ status: z.literal("retry"), reason, delayMs }),
  z.object({ status: z.literal("reject"), reason }),
]) satisfies z.ZodType<Outcome>;

const answer = z.object({
  outcomes: z.array(z.unknown()),
  failure: z.object({ reason, delayMs, isGeneral: z.boolean().exactOptional() }).exactOptional(),
  isGone: z.boolean().exactOptional(),
});

const allDone = { status: "done" } as const;
const notAnOutcome = { status: "retry", reason: "the function's answer for it is not an outcome" } as const;

/**
 * An answer as the engine takes it, whoever has written it: no compiler need have seen it. A
 * record whose outcome is none is tried again; an answer that is none is the call's failure.
 * @param count of the records that were sent
 */
export function resultOf(told: unknown, count: number): InvocationResult {
  if (told === "done") return { outcomes: Array.from({ length: count }, () => allDone) };
  const { data } = answer.safeParse(withoutUndefined(told));
  if (data === undefined || data.outcomes.length > count)
    return { outcomes: [], failure: { reason: "the function's answer is not a result" } };
  const outcomes = data.outcomes.map((one) =>
    one === undefined || one === null
      ? undefined
      : (outcome.safeParse(withoutUndefined(one)).data ?? notAnOutcome),
  );
  return { ...data, outcomes };
}

/** A member that is there without a value means none, as in JSON. */
function withoutUndefined(told: unknown): unknown {
  if (typeof told !== "object" || told === null || Array.isArray(told)) return told;
  return Object.fromEntries(Object.entries(told).filter(([, value]) => value !== undefined));
}

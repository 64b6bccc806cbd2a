import type { Issue } from "../src/lib/problem.ts";
import type { Call, CallOptions, Gateway } from "./gateway.ts";
import { GavelProblem, type ProblemCode } from "./problem.ts";
import type { Coordinates } from "./types.ts";

/** An event of a batch that is in the log. */
export interface BatchAccepted extends Coordinates {
  /** Of the event in the batch. */
  readonly index: number;
  readonly status: 202;
  readonly id: string;
}

/** An event of a batch that was refused, or of which nobody knows. */
export interface BatchRejected {
  readonly index: number;
  /** 0 where there was no answer about it. */
  readonly status: number;
  readonly code: ProblemCode;
  readonly detail: string;
  readonly errors: readonly Issue[];
}

export type BatchResult = BatchAccepted | BatchRejected;

export interface BatchAnswer {
  readonly accepted: number;
  readonly rejected: number;
  /** One for each event, in the order of the batch. */
  readonly results: readonly BatchResult[];
}

/** A CloudEvent in JSON. The id is the client's own, so that what is sent again is applied once. */
export interface CloudEvent {
  readonly specversion: "1.0";
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly data: unknown;
}

export interface BatchOptions extends CallOptions {
  /** The events' ids are `{idempotencyKey}:{index}`: the same batch with the same key is applied once. */
  readonly idempotencyKey: string;
}

/** What the gateway takes at once, unless it is configured otherwise. */
const mostEvents = 1_000;
const mostBytes = 1_000_000;

const statusesWithResults = new Set([202, 207, 422, 503]);

/**
 * Sends events in as many requests as they need, one after the other, so that events of one item keep
 * their order. Of a request of which the log took a part, only the rest is sent again.
 * @throws {GavelProblem} where nothing was taken, and nothing is known of any event
 */
export async function sendBatch(
  gateway: Gateway,
  events: readonly CloudEvent[],
  options: BatchOptions,
): Promise<BatchAnswer> {
  const results: BatchResult[] = [];
  for (const slice of slicesOf(events)) {
    const answer = await sendSlice(gateway, slice, options);
    if (answer instanceof GavelProblem && results.length === 0) throw answer;
    const from = results.length;
    if (!(answer instanceof GavelProblem)) {
      results.push(...answer.map((result) => ({ ...result, index: from + result.index })));
      continue;
    }
    // What comes behind it waits for it: an order that was asked for is not broken.
    for (let index = from; index < events.length; index += 1) {
      results.push(index < from + slice.length ? withheld(index, answer) : notSent(index));
    }
    break;
  }
  const accepted = results.filter(({ status }) => status === 202).length;
  return { accepted, rejected: results.length - accepted, results };
}

function* slicesOf(events: readonly CloudEvent[]): Generator<readonly CloudEvent[]> {
  const encoder = new TextEncoder();
  let slice: CloudEvent[] = [];
  let bytes = 0;
  for (const event of events) {
    const length = encoder.encode(JSON.stringify(event)).length + 1;
    if (slice.length === mostEvents || (slice.length > 0 && bytes + length > mostBytes)) {
      yield slice;
      [slice, bytes] = [[], 0];
    }
    slice.push(event);
    bytes += length;
  }
  if (slice.length > 0) yield slice;
}

/** Results of a slice by its own indexes, or the problem where none is known. */
async function sendSlice(
  gateway: Gateway,
  events: readonly CloudEvent[],
  options: BatchOptions,
): Promise<readonly BatchResult[] | GavelProblem> {
  const results = new Map<number, BatchResult>();
  let left = [...events.keys()];
  const attempt = async (signal: AbortSignal): Promise<void> => {
    const sent = left;
    const answered = await gateway.request(
      callOf(sent.map((index) => events[index])),
      options,
      signal,
      hasResults,
    );
    for (const result of (answered.body as BatchAnswer).results) {
      const index = sent[result.index];
      if (index !== undefined) results.set(index, { ...result, index });
    }
    left = sent.filter((index) => isPassing(results.get(index)));
    if (left.length > 0) throw problemOfRest(results.get(left[0] ?? 0));
  };
  try {
    const { idempotencyKey } = options;
    await gateway.retrying({ method: "POST", idempotencyKey }, options, attempt);
  } catch (error) {
    if (!(error instanceof GavelProblem)) throw error;
    if (results.size === 0) return error;
    return [...events.keys()].map((index) => results.get(index) ?? withheld(index, error));
  }
  return [...events.keys()].map((index) => results.get(index) ?? notSent(index));
}

function callOf(events: readonly unknown[]): Call {
  const headers = { "content-type": "application/cloudevents-batch+json" };
  return { method: "POST", path: "/v1/events", headers, body: events };
}

function hasResults(status: number, body: unknown): boolean {
  const isObject = typeof body === "object" && body !== null && "results" in body;
  return isObject && Array.isArray(body.results) && statusesWithResults.has(status);
}

function isPassing(result: BatchResult | undefined): boolean {
  return result === undefined || result.status >= 500 || result.status === 429;
}

/** Has the rest tried again. */
function problemOfRest(result: BatchResult | undefined): GavelProblem {
  const told = result !== undefined && "code" in result ? result : undefined;
  return new GavelProblem({
    status: told?.status ?? 0,
    code: told?.code ?? "unexpected-answer",
    title: "The log took a part of the batch",
    detail: told?.detail ?? "The answer lacks results",
    retryable: true,
    errors: [],
  });
}

function withheld(index: number, { status, code, detail, errors }: GavelProblem): BatchRejected {
  return { index, status, code, detail, errors };
}

function notSent(index: number): BatchRejected {
  return { index, status: 0, code: "not-sent", detail: "An earlier part of the batch failed", errors: [] };
}

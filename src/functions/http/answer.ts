import type { CallFailure, FunctionRecord, InvocationResult, Outcome } from "../function.ts";
import type { AnswerBody } from "./answer-body.ts";
import { isJsonType } from "./json-type.ts";
import { listedOutcomes } from "./listed-outcomes.ts";
import { retryAfterMs } from "./retry-after.ts";

/** An endpoint's answer, as far as it is looked at. */
export interface Answer {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly contentType?: string | null;
  /** Read of a 2xx alone. */
  readonly body?: AnswerBody;
}

/** Failures that may be this record's own: the others of the endpoint go on. */
const retriedStatuses: ReadonlySet<number> = new Set([404, 409]);
/** Failures that other records would meet as well. */
const throttledStatuses: ReadonlySet<number> = new Set([408, 429]);
/**
 * Of the failed calls those that say so by themselves. A 500 may be a record's doing, and so may a 502, a
 * 504 or a cut connection, where a record ends whoever works on it.
 */
const generalStatuses: ReadonlySet<number> = new Set([429, 503]);

/**
 * What an answer means. Reasons are of our own words and the status: an answer's body is the
 * receiver's, and where the receiver is not who it claims to be, somebody else's.
 * Source: the retry table of Knative Eventing; Standard Webhooks for 3xx and 410.
 * @param now milliseconds since the epoch
 */
export function resultOf(
  { status, retryAfter, contentType, body }: Answer,
  records: readonly FunctionRecord[],
  now: number,
): InvocationResult {
  if (status >= 200 && status < 300) return accepted(body, contentType ?? "", records);
  if (status === 410) return { outcomes: [], isGone: true };
  const reason = `The endpoint answered ${status}`;
  const delayMs = retryAfterMs(retryAfter, now);
  const delay = delayMs === undefined ? {} : { delayMs };
  if (retriedStatuses.has(status)) return { outcomes: all(records, { status: "retry", reason, ...delay }) };
  if (status >= 400 && status < 500 && !throttledStatuses.has(status)) {
    return { outcomes: all(records, { status: "reject", reason }) };
  }
  const redirect = status >= 300 && status < 400 ? ", and redirects are not followed" : "";
  const isGeneral = redirect !== "" || generalStatuses.has(status);
  return failed(`${reason}${redirect}`, { ...delay, ...(isGeneral ? { isGeneral } : {}) });
}

function accepted(
  body: AnswerBody | undefined,
  contentType: string,
  records: readonly FunctionRecord[],
): InvocationResult {
  // It may have listed what failed: to take it for done would lose that.
  if (body?.kind === "cut") return failed("The endpoint's answer ended early");
  if (body?.kind === "too-long" && isJsonType(contentType)) {
    return failed("The endpoint's answer is longer than is read");
  }
  return { outcomes: listedOutcomes(body?.kind === "whole" ? parsed(body.text) : undefined, records) };
}

function parsed(text: string): unknown {
  // As a rule there is none, and an exception costs as much as making the request.
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The call failed as a whole: no record has an outcome. */
export function failed(reason: string, more: Omit<CallFailure, "reason"> = {}): InvocationResult {
  return { outcomes: [], failure: { reason, ...more } };
}

function all(records: readonly FunctionRecord[], outcome: Outcome): Outcome[] {
  return records.map(() => outcome);
}

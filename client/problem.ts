import type { ErrorCode, Issue } from "../src/lib/problem.ts";

/** What only the client can know. */
export type ClientCode =
  /** The gateway was not reached, or the connection broke before the answer was whole. */
  | "network-failure"
  /** No answer in time. */
  | "timeout"
  /** An answer that is none of the gateway's: of a proxy in front of it, say. */
  | "unexpected-answer"
  /** The function that gives the credential failed; the `cause` is what it failed with. */
  | "credential-failure"
  /** Of an event in a batch whose earlier part failed: it was not sent, so that order is kept. */
  | "not-sent";

/** A gateway that is newer than this client may tell others: have a default case. */
export type ProblemCode = ErrorCode | ClientCode;

export interface ProblemFields {
  /** The HTTP status; 0 without an answer. */
  readonly status: number;
  readonly code: ProblemCode;
  readonly title: string;
  readonly detail: string;
  /** Names the request in the gateway's log. */
  readonly requestId?: string;
  /** Whether the same request may succeed later. */
  readonly retryable: boolean;
  /** Every fault of what was sent, with its JSON pointer. */
  readonly errors: readonly Issue[];
  /** What the gateway asked to wait, in milliseconds. */
  readonly retryAfterMs?: number;
}

export type { ErrorCode, Issue };

/** A refusal or a failure: what every method rejects with, but for an abort, which is the signal's reason. */
export class GavelProblem extends Error implements ProblemFields {
  override readonly name = "GavelProblem";
  readonly status: number;
  readonly code: ProblemCode;
  readonly title: string;
  readonly detail: string;
  readonly requestId?: string;
  readonly retryable: boolean;
  readonly errors: readonly Issue[];
  readonly retryAfterMs?: number;
  /** Requests that were made for the call. */
  readonly attempts: number;
  /**
   * Whether the event may be in the log all the same. The same call with the same `idempotencyKey`
   * is safe, and applied once.
   */
  readonly isOutcomeUnknown: boolean;
  /** Of the event that was to be written. */
  readonly idempotencyKey?: string;

  constructor(
    fields: ProblemFields,
    more: {
      readonly cause?: unknown;
      readonly attempts?: number;
      readonly isOutcomeUnknown?: boolean;
      readonly idempotencyKey?: string;
    } = {},
  ) {
    super(`${fields.code}: ${fields.detail}`, more.cause === undefined ? undefined : { cause: more.cause });
    this.status = fields.status;
    this.code = fields.code;
    this.title = fields.title;
    this.detail = fields.detail;
    if (fields.requestId !== undefined) this.requestId = fields.requestId;
    this.retryable = fields.retryable;
    this.errors = fields.errors;
    if (fields.retryAfterMs !== undefined) this.retryAfterMs = fields.retryAfterMs;
    this.attempts = more.attempts ?? 1;
    this.isOutcomeUnknown = more.isOutcomeUnknown ?? false;
    if (more.idempotencyKey !== undefined) this.idempotencyKey = more.idempotencyKey;
  }
}

/** Statuses of what stands between client and gateway that may pass; the gateway says it of its own. */
const passing = new Set([408, 425, 429, 502, 503, 504, 520, 521, 522, 523, 524, 525, 530]);

/** What an answer that is no success says. */
export function problemOf(
  status: number,
  body: unknown,
  header: (name: string) => string | null,
  retryAfterMs: number | undefined,
): GavelProblem {
  const requestId = header("x-request-id") ?? undefined;
  const common = {
    status,
    ...(requestId === undefined ? {} : { requestId }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
  if (isDocument(body)) {
    const { code, title = "", detail = "", errors = [] } = body;
    const retryable = body.retryable ?? passing.has(status);
    return new GavelProblem({ ...common, code, title, detail, errors, retryable });
  }
  return new GavelProblem({
    ...common,
    code: "unexpected-answer",
    title: "The answer is none of the gateway's",
    detail: `The answer has the status ${status} and is no problem document`,
    retryable: passing.has(status),
    errors: [],
  });
}

interface Document extends Partial<Pick<ProblemFields, "title" | "detail" | "retryable" | "errors">> {
  readonly code: ProblemCode;
}

function isDocument(body: unknown): body is Document {
  return typeof body === "object" && body !== null && "code" in body && typeof body.code === "string";
}

export function failureOf(
  code: "network-failure" | "timeout",
  detail: string,
  cause?: unknown,
): GavelProblem {
  const title = code === "timeout" ? "There was no answer in time" : "The gateway was not reached";
  return new GavelProblem({ status: 0, code, title, detail, retryable: true, errors: [] }, { cause });
}

export function credentialFailure(cause: unknown): GavelProblem {
  const fields = { title: "There is no credential", detail: "The function that gives it failed", errors: [] };
  return new GavelProblem({ status: 0, code: "credential-failure", retryable: false, ...fields }, { cause });
}

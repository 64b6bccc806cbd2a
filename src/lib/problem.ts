/**
 * Every refusal that Gavel can answer, as RFC 9457 problem details: a closed set of codes, each
 * with its status, its title and whether the same request may succeed later.
 */
interface ProblemKind {
  readonly status: 400 | 401 | 403 | 404 | 405 | 406 | 408 | 409 | 413 | 415 | 422 | 426 | 429 | 500 | 503;
  readonly title: string;
  readonly retryable?: true;
}

/** Codes of one field's fault. A problem whose faults are all of one code carries it as its own. */
const issueKinds = {
  required: { status: 422, title: "A required field is missing" },
  "unknown-field": { status: 422, title: "A field is not known" },
  "unknown-type": { status: 422, title: "The event's type is not known" },
  "invalid-type": { status: 422, title: "A field has the wrong JSON type" },
  "invalid-format": { status: 422, title: "A field has the wrong format" },
  "unknown-currency": { status: 422, title: "The currency is not an ISO 4217 code" },
  "not-unicode": { status: 422, title: "A text holds half of a surrogate pair" },
  "too-short": { status: 422, title: "A text is too short" },
  "too-long": { status: 422, title: "A text is too long" },
  "too-small": { status: 422, title: "A number is too small" },
  "too-big": { status: 422, title: "A number is too big" },
  "too-many": { status: 422, title: "There are too many entries" },
  "starts-after-end": { status: 422, title: "The item starts at or after its end" },
  "ends-in-past": { status: 422, title: "The item ends before the event's time" },
  "ends-too-late": { status: 422, title: "The item ends more than 90 days after the event's time" },
  "reserve-below-start": { status: 422, title: "The reserve is below the starting price" },
  "subject-mismatch": { status: 422, title: "The event's subject is not its item" },
  "time-ahead": { status: 422, title: "The event's time is more than 5 s ahead of the clock" },
  "forbidden-url": { status: 422, title: "Events may not be sent to the URL" },
  "given-twice": { status: 422, title: "A setting is given in two places" },
} as const satisfies Record<string, ProblemKind>;

const requestKinds = {
  "malformed-json": { status: 400, title: "The body is not JSON" },
  "incomplete-body": { status: 400, title: "The body ended early" },
  "malformed-encoding": { status: 400, title: "The body is not encoded as its Content-Encoding says" },
  "invalid-utf8": { status: 400, title: "The body is not UTF-8" },
  "duplicate-key": { status: 400, title: "An object of the body has a key twice" },
  "imprecise-number": { status: 400, title: "A number has more digits than can be kept" },
  "too-deep": { status: 400, title: "The body is nested too deeply" },
  "invalid-parameter": { status: 400, title: "A parameter is not valid" },
  "invalid-header": { status: 400, title: "A header is not valid" },
  unauthenticated: { status: 401, title: "A valid credential is needed" },
  "missing-scope": { status: 403, title: "The credential lacks a scope" },
  "forbidden-origin": { status: 403, title: "Pages of the origin may not connect" },
  "forbidden-subject": { status: 403, title: "The credential is bound to another subject" },
  "not-found": { status: 404, title: "There is nothing here" },
  "unknown-item": { status: 404, title: "The item is not known" },
  "unknown-event": { status: 404, title: "The event is not known" },
  "unknown-replay": { status: 404, title: "The replay is not known" },
  "unknown-subscription": { status: 404, title: "The subscription is not known" },
  "unknown-analysis": { status: 404, title: "The analysis is not known" },
  "unknown-key": { status: 404, title: "The API key is not known" },
  "unknown-profile": { status: 404, title: "The profile is not known" },
  "method-not-allowed": { status: 405, title: "The method is not allowed here" },
  "not-acceptable": { status: 406, title: "The client accepts no type that is answered here" },
  "request-timeout": { status: 408, title: "The body did not arrive in time", retryable: true },
  "ambiguous-event": { status: 409, title: "Several events have the id" },
  "beyond-end": { status: 409, title: "The log ends before the offset" },
  "would-wipe": { status: 409, title: "The partition's state would be wiped" },
  "would-skip": { status: 409, title: "Records that are not finished would be left out" },
  "partition-busy": { status: 503, title: "Calls are under way", retryable: true },
  "not-supported": { status: 409, title: "The group cannot do this" },
  "key-exists": { status: 409, title: "The id is or was another API key's" },
  "key-of-secret": { status: 409, title: "The API key is one of the secret API_KEYS" },
  "too-many-subscriptions": { status: 409, title: "There are as many subscriptions as there may be" },
  "too-many-replays": { status: 409, title: "There are as many replays as may run" },
  "body-too-large": { status: 413, title: "The body is too large" },
  "too-many-events": { status: 413, title: "The body holds too many events" },
  "record-too-large": { status: 413, title: "The event is too large for the log" },
  "unsupported-media-type": { status: 415, title: "The content type is not supported" },
  "invalid-event": { status: 422, title: "The event is not valid" },
  "invalid-operation": { status: 422, title: "The operation is not valid" },
  "invalid-key": { status: 422, title: "The API key is not valid" },
  "invalid-subscription": { status: 422, title: "The subscription is not valid" },
  "invalid-replay": { status: 422, title: "The replay is not valid" },
  "replay-too-large": { status: 422, title: "The stretch is larger than what may be read" },
  "empty-batch": { status: 422, title: "The body holds no event" },
  "upgrade-required": { status: 426, title: "Another protocol is needed" },
  "rate-limited": { status: 429, title: "There are too many requests", retryable: true },
  "internal-error": { status: 500, title: "Gavel failed" },
  misconfigured: { status: 503, title: "The gateway's configuration cannot be used", retryable: true },
  "log-unavailable": { status: 503, title: "The log is not available", retryable: true },
  "log-timeout": { status: 503, title: "The log did not answer in time", retryable: true },
  "log-refused": { status: 503, title: "The log refuses the gateway", retryable: true },
  "partition-count-mismatch": { status: 503, title: "The log has another partition count", retryable: true },
  "topic-missing": { status: 503, title: "The log lacks a topic", retryable: true },
  "partition-unavailable": { status: 503, title: "A partition does not answer", retryable: true },
  "subscriptions-unavailable": { status: 503, title: "The subscriptions do not answer", retryable: true },
  "database-unavailable": { status: 503, title: "The database is not available", retryable: true },
  "token-keys-unavailable": {
    status: 503,
    title: "The keys of the tokens' issuer are not available",
    retryable: true,
  },
  "replays-unavailable": { status: 503, title: "The replays do not answer", retryable: true },
  "feed-full": { status: 503, title: "There are as many live connections as are taken", retryable: true },
  "feed-unavailable": { status: 503, title: "A feed does not answer", retryable: true },
  "not-yet-applied": { status: 503, title: "The record has not taken effect yet", retryable: true },
} as const satisfies Record<string, ProblemKind>;

export type IssueCode = keyof typeof issueKinds;
export type ErrorCode = IssueCode | keyof typeof requestKinds;

/** Cannot miss a code: what a code answers is looked up here and nowhere else. */
export const problemKinds: Readonly<Record<ErrorCode, ProblemKind>> = { ...requestKinds, ...issueKinds };

/** One fault of a document: where (JSON Pointer from its root), what, and in words. */
export interface Issue {
  readonly pointer: string;
  readonly code: IssueCode;
  readonly message: string;
}

/** Seconds after which a client may try again, told with every 503, and a 429 that does not know better. */
export const retryAfterSeconds = 1;

/** A refusal on its way to the client; whoever throws it says all that the client will be told. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly code: ErrorCode;
  readonly detail: string;
  readonly errors: readonly Issue[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: ErrorCode,
    detail: string,
    more: { errors?: readonly Issue[]; headers?: Record<string, string>; cause?: unknown } = {},
  ) {
    super(`${code}: ${detail}`, more.cause === undefined ? undefined : { cause: more.cause });
    this.code = code;
    this.detail = detail;
    this.errors = more.errors ?? [];
    this.headers = more.headers ?? {};
  }

  get status(): ProblemKind["status"] {
    return problemKinds[this.code].status;
  }
}

/** Faults told: more than all that an item can have; a body that is nothing else would be answered sevenfold. */
const mostTold = 100;
/** Faults told in words too. */
const mostInDetail = 10;

/** The refusal of a document for its faults, of which there is at least one. */
export function problemFromIssues(
  issues: readonly Issue[],
  document: "event" | "key" | "operation" | "replay" | "subscription" = "event",
): Problem {
  const whole = `invalid-${document}` as const;
  const first = issues[0]?.code ?? whole;
  const code = issues.every((issue) => issue.code === first) ? first : whole;
  const sentences = issues
    .slice(0, mostInDetail)
    .map((issue) => `${issue.pointer === "" ? document : issue.pointer}: ${issue.message}`);
  if (issues.length > mostInDetail) sentences.push(`and ${issues.length - mostInDetail} more`);
  const detail = sentences.join("; ");
  return new Problem(code, detail, { errors: issues.slice(0, mostTold) });
}

/** The members of `application/problem+json`. */
export function problemBody(problem: Problem, requestId: string): Record<string, unknown> {
  const { status, title, retryable } = problemKinds[problem.code];
  return {
    type: `urn:gavel:problem:${problem.code}`,
    title,
    status,
    code: problem.code,
    detail: problem.detail,
    requestId,
    retryable: retryable ?? false,
    errors: problem.errors,
  };
}

/** The whole answer: body, status, and the headers that the status asks for. */
export function problemResponse(problem: Problem, requestId: string): Response {
  const { retryable } = problemKinds[problem.code];
  const headers = new Headers({
    "content-type": "application/problem+json",
    ...(retryable === true ? { "retry-after": String(retryAfterSeconds) } : {}),
    ...(problem.status === 401 ? { "www-authenticate": 'Bearer realm="gavel"' } : {}),
    ...problem.headers,
  });
  return new Response(JSON.stringify(problemBody(problem, requestId)), { status: problem.status, headers });
}

import { type Effect, LogFailure, type LogFailureCode } from "../log.ts";

/** What the client hears instead of an answer: a status, a sentence, and headers that go with it. */
export class HttpError extends Error {
  override readonly name = "HttpError";
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Whether what was to be written may be in the log all the same. */
  readonly effect: Effect;

  constructor(
    status: number,
    message: string,
    headers: Readonly<Record<string, string>> = {},
    effect: Effect = "none",
  ) {
    super(message);
    this.status = status;
    this.headers = headers;
    this.effect = effect;
  }
}

const statusOf: Readonly<Record<LogFailureCode, number>> = {
  "unknown-partition": 404,
  "too-large": 413,
  refused: 422,
  forbidden: 403,
  unavailable: 503,
  timeout: 504,
};

/** A failure in the protocol's terms. What is neither the client's nor the log's is a 500. */
export function toHttpError(error: unknown): HttpError {
  if (error instanceof HttpError) return error;
  if (!(error instanceof LogFailure)) return new HttpError(500, "internal error", {}, "unknown");
  const status = statusOf[error.code];
  const headers = status >= 500 ? { "retry-after": "1" } : undefined;
  return new HttpError(status, error.message, headers, error.effect);
}

/**
 * Upstash's form of an error, as a body and in the place of a record that failed. Behind a 5xx
 * `effect`, an extension, says whether what was sent may be in the log; a 4xx never had one.
 */
export function errorBody({ message, status, effect }: HttpError): string {
  return JSON.stringify(status < 500 ? { error: message, status } : { error: message, status, effect });
}

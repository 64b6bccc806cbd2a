import { LogFailure, type LogFailureCode } from "./log.ts";

/** What the client hears instead of an answer: a status, a sentence, and headers that go with it. */
export class HttpError extends Error {
  override readonly name = "HttpError";
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

const statusOf: Readonly<Record<LogFailureCode, number>> = {
  "unknown-partition": 404,
  "too-large": 413,
  unavailable: 503,
};

/** A failure in the protocol's terms. What is neither the client's nor the log's is a 500. */
export function toHttpError(error: unknown): HttpError {
  if (error instanceof HttpError) return error;
  if (!(error instanceof LogFailure)) return new HttpError(500, "internal error");
  const status = statusOf[error.code];
  return new HttpError(status, error.message, status === 503 ? { "retry-after": "1" } : {});
}

/** Upstash's form of an error, as a body and in the place of a record that failed. */
export function errorBody({ message, status }: HttpError): string {
  return JSON.stringify({ error: message, status });
}

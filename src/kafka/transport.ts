import { LogError, type LogErrorCode } from "./port.ts";
import type { Clock } from "../lib/clock.ts";

/** What `@upstash/kafka` asks of its HTTP client. */
interface UpstashRequest {
  readonly path: readonly string[];
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface UpstashTransport {
  get(request: UpstashRequest): Promise<unknown>;
  post(request: UpstashRequest): Promise<unknown>;
  /** The headers of the answer, which the client drops; undefined before there is one. */
  readonly answered: Headers | undefined;
}

export interface TransportSettings {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  readonly clock: Clock;
  readonly fetch: typeof fetch;
}

type Effect = LogError["effect"];

/** Makes transports, each bound to one call and its deadline, that send a request exactly once. */
export function createTransports(settings: TransportSettings): (deadline: number) => UpstashTransport {
  const base = settings.url.replace(/\/+$/, "");
  const headers = {
    authorization: `Basic ${base64(`${settings.username}:${settings.password}`)}`,
    "content-type": "application/json",
  };
  return (deadline) => {
    let answered: Headers | undefined;
    const send = async (method: "GET" | "POST", { path, body, headers: extra }: UpstashRequest) => {
      const effect = path[0] === "produce" ? "unknown" : "none";
      const answer = await exchange(settings, deadline, effect, `${base}/${path.join("/")}`, {
        method,
        headers: { ...headers, ...extra },
        // A redirect would carry the credentials elsewhere.
        redirect: "manual",
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      answered = answer.headers;
      return parseAnswer(answer.text, effect);
    };
    return {
      get: (request) => send("GET", request),
      post: (request) => send("POST", request),
      get answered() {
        return answered;
      },
    };
  };
}

/**
 * One request, one answer. `effect` is what is left open when no clear refusal came back: a
 * produce that was sent may be in the log, a read has no effect.
 */
async function exchange(
  settings: TransportSettings,
  deadline: number,
  effect: Effect,
  url: string,
  init: RequestInit,
): Promise<{ readonly text: string; readonly headers: Headers }> {
  const remaining = deadline - settings.clock.now();
  if (remaining <= 0)
    throw new LogError("timeout", "none", "The deadline passed before the request was sent");
  let response: Response;
  let text: string;
  // Not `AbortSignal.timeout`: its timer outlives the answer, and keeps a Durable Object from rest.
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), remaining);
  try {
    response = await settings.fetch(url, { ...init, signal: abort.signal });
    // Read whole in every case: an unread body holds one of the few connections.
    text = await response.text();
  } catch (cause) {
    throw connectionError(cause, effect);
  } finally {
    clearTimeout(timer);
  }
  const { status, headers } = response;
  if (status !== 200) throw errorFromStatus(status, readFailure(text), effect);
  return { text, headers };
}

function connectionError(cause: unknown, effect: Effect): LogError {
  const late = cause instanceof Error && (cause.name === "TimeoutError" || cause.name === "AbortError");
  return late
    ? new LogError("timeout", effect, "The log did not answer before the deadline", cause)
    : new LogError("unavailable", effect, "The log cannot be reached", cause);
}

function parseAnswer(text: string, effect: Effect): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new LogError("unavailable", effect, "The log's answer is not JSON", cause);
  }
}

/** What an answer says of a failure: a reason, and where the server tells, what it left behind. */
export interface ToldFailure {
  readonly error?: unknown;
  readonly effect?: unknown;
}

function readFailure(text: string): ToldFailure {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === "object" && body !== null) return body;
  } catch {
    // An intermediary's page: the status says enough.
  }
  return {};
}

/**
 * The error for a status that is not 200, of an answer or of one record in it. A refusal (4xx)
 * has no effect; behind a 5xx or a time-out the records may be in, unless the server knows better.
 */
export function errorFromStatus(status: number, told: ToldFailure, effect: Effect): LogError {
  const refused = status >= 400 && status < 500 && status !== 408;
  const reason = typeof told.error === "string" ? `: ${told.error}` : "";
  const text = `The log answered ${status}${reason}`;
  return new LogError(codeFromStatus(status), refused || told.effect === "none" ? "none" : effect, text);
}

function codeFromStatus(status: number): LogErrorCode {
  if (status === 401 || status === 403) return "unauthorized";
  if (status === 404) return "unknown-topic";
  if (status === 408 || status === 504) return "timeout";
  if (status === 413) return "too-large";
  if (status === 429 || status >= 500) return "unavailable";
  return "rejected";
}

/** Base64 of the text's UTF-8 bytes; the client's own corrupts what is above U+00FF. */
function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

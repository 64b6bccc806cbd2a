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
}

export interface TransportSettings {
  readonly url: string;
  readonly username: string;
  readonly password: string;
  readonly clock: Clock;
  readonly fetch: typeof fetch;
}

type Effect = LogError["effect"];

/** Makes transports, each bound to one call's deadline, that send a request exactly once. */
export function createTransports(settings: TransportSettings): (deadline: number) => UpstashTransport {
  const base = settings.url.replace(/\/+$/, "");
  const headers = {
    authorization: `Basic ${base64(`${settings.username}:${settings.password}`)}`,
    "content-type": "application/json",
  };
  return (deadline) => {
    const send = (method: "GET" | "POST", { path, body, headers: extra }: UpstashRequest) =>
      exchange(settings, deadline, path[0] === "produce" ? "unknown" : "none", `${base}/${path.join("/")}`, {
        method,
        headers: { ...headers, ...extra },
        // A redirect would carry the credentials elsewhere.
        redirect: "manual",
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    return { get: (request) => send("GET", request), post: (request) => send("POST", request) };
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
): Promise<unknown> {
  const remaining = deadline - settings.clock.now();
  if (remaining <= 0)
    throw new LogError("timeout", "none", "The deadline passed before the request was sent");
  let status: number;
  let text: string;
  // Not `AbortSignal.timeout`: its timer outlives the answer, and keeps a Durable Object from rest.
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), remaining);
  try {
    const response = await settings.fetch(url, { ...init, signal: abort.signal });
    status = response.status;
    // Read whole in every case: an unread body holds one of the few connections.
    text = await response.text();
  } catch (cause) {
    throw connectionError(cause, effect);
  } finally {
    clearTimeout(timer);
  }
  if (status !== 200) throw errorFromStatus(status, readError(text), effect);
  return parseAnswer(text, effect);
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

function readError(text: string): string {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === "object" && body !== null && "error" in body) return String(body.error);
  } catch {
    // An intermediary's page: the status says enough.
  }
  return "";
}

/**
 * The error for a status that is not 200, of an answer or of one record in it. A refusal (4xx)
 * has no effect; behind a 5xx or a time-out the records may be in.
 */
export function errorFromStatus(status: number, reason: string, effect: Effect): LogError {
  const refused = status >= 400 && status < 500 && status !== 408;
  const text = `The log answered ${status}${reason === "" ? "" : `: ${reason}`}`;
  return new LogError(codeFromStatus(status), refused ? "none" : effect, text);
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

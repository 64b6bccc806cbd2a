import type { ByteStream, FetchAnswer, Host } from "./host.ts";
import { credentialFailure, GavelProblem, problemOf } from "./problem.ts";
import { retryAfterMs } from "./retry-after.ts";
import { withRetries } from "./retry.ts";

/** What any call may be given. */
export interface CallOptions {
  /** Ends the call: it rejects with the signal's reason. What was sent may be in the log. */
  readonly signal?: AbortSignal;
  /** The whole call with its retries, in milliseconds; 30 s unless said. */
  readonly timeoutMs?: number;
  /** W3C trace context, which the gateway continues. */
  readonly traceparent?: string;
  readonly tracestate?: string;
}

export type QueryValue = string | number | undefined;

export interface Call {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly query?: Readonly<Record<string, QueryValue>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Of the one event that is written. */
  readonly idempotencyKey?: string;
  /** How long the gateway itself may wait before it answers, in milliseconds. */
  readonly waitMs?: number;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export interface GatewayOptions {
  readonly url: string;
  readonly credential: string | (() => string | Promise<string>);
  readonly host: Host;
  readonly attempts: number;
  readonly attemptTimeoutMs: number;
}

const defaultTimeoutMs = 30_000;

/** The gateway by HTTP: one request, and calls that make several. */
export class Gateway {
  private readonly options: GatewayOptions;
  readonly host: Host;

  constructor(options: GatewayOptions) {
    this.options = { ...options, url: options.url.replace(/\/+$/, "") };
    this.host = options.host;
  }

  /** The body of the answer to a call that succeeds. @throws {GavelProblem} */
  async call<Body>(call: Call, options: CallOptions): Promise<Body> {
    const { body } = await this.retrying(call, options, (signal) => this.request(call, options, signal));
    return body as Body;
  }

  /** Attempts with the client's bounds; the problem says whether a write may have taken effect in any. */
  async retrying<Result>(
    { method, idempotencyKey, waitMs = 0 }: Pick<Call, "method" | "idempotencyKey" | "waitMs">,
    { signal, timeoutMs = defaultTimeoutMs + waitMs }: CallOptions,
    attempt: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    let isUnknown = false;
    const { attempts, attemptTimeoutMs } = this.options;
    const policy = {
      attempts,
      timeoutMs,
      attemptTimeoutMs: attemptTimeoutMs + waitMs,
      ...(signal === undefined ? {} : { signal }),
    };
    try {
      return await withRetries(this.host, policy, async (attemptSignal) => {
        try {
          return await attempt(attemptSignal);
        } catch (error) {
          isUnknown ||= method === "POST" && mayHaveTakenEffect(error);
          throw error;
        }
      });
    } catch (error) {
      if (!(error instanceof GavelProblem)) throw error;
      const { attempts: made, cause } = error;
      const key = idempotencyKey === undefined ? {} : { idempotencyKey };
      throw new GavelProblem(error, { attempts: made, cause, isOutcomeUnknown: isUnknown, ...key });
    }
  }

  /** One request. @throws {GavelProblem} for an answer that is no success, or not the gateway's */
  async request(
    call: Call,
    options: CallOptions,
    signal: AbortSignal,
    isAnswer: (status: number, body: unknown) => boolean = (status) => status >= 200 && status < 300,
  ): Promise<Answer> {
    const response = await this.send(call, options, signal);
    const parsed = parse(await response.text());
    if (parsed !== undefined && isAnswer(response.status, parsed))
      return { status: response.status, body: parsed };
    throw this.problemOf(response, parsed);
  }

  /** One request whose answer is read as it comes. @throws {GavelProblem} */
  async stream(call: Call, options: CallOptions, signal: AbortSignal): Promise<ByteStream> {
    const headers = { accept: "text/event-stream" };
    const response = await this.send({ ...call, headers }, options, signal);
    const isStream = response.headers.get("content-type")?.startsWith("text/event-stream") === true;
    if (response.status === 200 && isStream && response.body) return response.body;
    throw this.problemOf(response, parse(await response.text()));
  }

  private async send(call: Call, options: CallOptions, signal: AbortSignal): Promise<FetchAnswer> {
    const { method, path, query, body } = call;
    const headers = await this.headersOf(call, options);
    return this.host.fetch(`${this.options.url}${path}${searchOf(query)}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal,
    });
  }

  private problemOf({ status, headers }: FetchAnswer, body: unknown): GavelProblem {
    const header = (name: string): string | null => headers.get(name);
    return problemOf(status, body, header, retryAfterMs(header, this.host.now));
  }

  private async headersOf(
    { headers, body, idempotencyKey }: Call,
    { traceparent, tracestate }: CallOptions,
  ): Promise<Record<string, string>> {
    return {
      accept: "application/json",
      authorization: await this.authorization(),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey }),
      ...(traceparent === undefined ? {} : { traceparent }),
      ...(tracestate === undefined ? {} : { tracestate }),
      ...headers,
    };
  }

  /** Asked for each request: a token that ends is renewed by whoever gives it. */
  private async authorization(): Promise<string> {
    const { credential } = this.options;
    try {
      return `Bearer ${typeof credential === "string" ? credential : await credential()}`;
    } catch (error) {
      throw credentialFailure(error);
    }
  }

  get url(): string {
    return this.options.url;
  }
}

/** Without an answer, or with one that is no refusal, nobody knows. */
function mayHaveTakenEffect(error: unknown): boolean {
  if (!(error instanceof GavelProblem)) return true;
  // Then nothing was sent.
  if (error.code === "credential-failure") return false;
  return error.status < 400 || error.status >= 500;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

export function searchOf(query: Readonly<Record<string, QueryValue>> = {}): string {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [`${encodeURIComponent(name)}=${encodeURIComponent(value)}`],
  );
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
}

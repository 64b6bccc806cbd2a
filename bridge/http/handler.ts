import type { IncomingMessage, ServerResponse } from "node:http";
import type { Limits } from "../limits.ts";
import type { EventLog } from "../log.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import type { Exchange } from "./exchange.ts";
import { errorBody, HttpError, toHttpError } from "./http-error.ts";
import { type Holding, Load } from "./load.ts";
import { Readiness } from "./readiness.ts";
import { byteLength } from "./read.ts";
import type { Reply } from "./reply.ts";
import type { Rights } from "./rights.ts";
import { route } from "./router.ts";
import { verbOf } from "./verb.ts";
import { authorizationOf } from "./webhook.ts";

export interface HandlerOptions {
  readonly log: EventLog;
  readonly limits: Limits;
  /** The rights of whose credentials the Authorization header holds. */
  readonly authenticate: (header: string | undefined) => Rights | null;
  /** Whether figures are told to whoever asks. */
  readonly metricsOpen: boolean;
  readonly telemetry: Telemetry;
}

/** Answers requests: credentials first, then the routes; every failure in Upstash's form. */
export class RequestHandler {
  readonly #options: HandlerOptions;
  readonly #readiness: Readiness;
  readonly #load: Load;
  /** Aborts of fetches that wait for records. */
  readonly #waiting = new Set<AbortController>();
  #stopping = false;

  constructor(options: HandlerOptions) {
    this.#options = options;
    this.#readiness = new Readiness(options.log);
    this.#load = new Load(options.limits.maxPendingBytes);
    options.telemetry.metrics.measure({
      requests: () => this.#load.requests,
      pendingBytes: () => this.#load.bytes,
      problems: () => options.log.problems().length,
    });
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    const { telemetry } = this.#options;
    const began = performance.now();
    const verb = verbOf(request.url ?? "");
    const holding = this.#load.begin(response);
    const finish = (reply: Reply) => {
      const status = reply.status ?? 200;
      telemetry.metrics.answered(verb, status, (performance.now() - began) / 1_000);
      this.#send(response, status, reply, holding);
    };
    this.#answer(request, response, verb, holding).then(finish, (error: unknown) => {
      const failure = toHttpError(error);
      if (failure.status === 500) telemetry.defect(error);
      finish({ status: failure.status, body: errorBody(failure), headers: failure.headers });
    });
  }

  /** A client that asks before it sends a body is spared sending what would be refused. */
  handleExpectation(request: IncomingMessage, response: ServerResponse): void {
    const { limits, authenticate } = this.#options;
    const tooLong = Number(request.headers["content-length"] ?? 0) > limits.maxBodyBytes;
    if (tooLong || authenticate(authorizationOf(request)) === null) response.shouldKeepAlive = false;
    else response.writeContinue();
    this.handle(request, response);
  }

  /** Requests whose answer is not out yet. */
  get inFlight(): number {
    return this.#load.requests;
  }

  /** Ends waits; from here on every answer closes its connection. */
  stop(): void {
    this.#stopping = true;
    for (const wait of this.#waiting) wait.abort();
  }

  async #answer(
    request: IncomingMessage,
    response: ServerResponse,
    verb: string,
    holding: Holding,
  ): Promise<Reply> {
    const { authenticate, metricsOpen, telemetry } = this.#options;
    const get = request.method === "GET" ? request.url : undefined;
    if (get === "/healthz") return { body: '{"status":"ok"}' };
    const rights = authenticate(authorizationOf(request));
    if (get === "/readyz") return this.#tellReadiness(rights !== null);
    if (get === "/metrics" && (metricsOpen || rights !== null)) return this.#tellMetrics();
    if (rights === null) {
      telemetry.credentialsRefused(verb);
      throw new HttpError(401, "wrong or missing credentials", {
        "www-authenticate": 'Basic realm="bridge"',
      });
    }
    return route(this.#exchange(request, response, rights, holding));
  }

  /** Reasons name topics and brokers, so they are told to whoever has credentials. */
  async #tellReadiness(known: boolean): Promise<Reply> {
    const reasons = this.#stopping ? ["The bridge is stopping."] : await this.#readiness.reasons();
    if (reasons.length === 0) return { body: '{"status":"ready"}' };
    const body = JSON.stringify(known ? { status: "not ready", reasons } : { status: "not ready" });
    return { status: 503, body, headers: { "retry-after": "1" } };
  }

  async #tellMetrics(): Promise<Reply> {
    const { metrics } = this.#options.telemetry;
    return { body: await metrics.text(), contentType: metrics.contentType };
  }

  #exchange(request: IncomingMessage, response: ServerResponse, rights: Rights, holding: Holding): Exchange {
    const { log, limits, telemetry } = this.#options;
    const { reserve } = holding;
    const receive = (bytes: number) => {
      telemetry.metrics.bytes("in", bytes);
      reserve(bytes);
    };
    return { log, limits, request, rights, receive, reserve, waitSignal: () => this.#waitSignal(response) };
  }

  #waitSignal(response: ServerResponse): AbortSignal {
    const wait = new AbortController();
    if (this.#stopping) wait.abort();
    this.#waiting.add(wait);
    response.once("close", () => {
      this.#waiting.delete(wait);
      wait.abort();
    });
    return wait.signal;
  }

  #send(response: ServerResponse, status: number, reply: Reply, holding: Holding): void {
    const { body, contentType, headers, records, reserved, undelivered } = reply;
    const { metrics } = this.#options.telemetry;
    const length = typeof body === "string" ? Buffer.byteLength(body) : byteLength(body);
    if (records !== undefined) metrics.records(records.direction, records.count);
    metrics.bytes("out", length);
    if (reserved !== true) holding.hold(length);
    if (this.#stopping) response.shouldKeepAlive = false;
    if (undelivered !== undefined) whenCutOff(response, undelivered);
    response.writeHead(status, {
      "content-type": contentType ?? "application/json",
      "content-length": length,
      ...headers,
    });
    end(response, body);
    this.#boundTaking(response);
  }

  /** An answer that its client does not take would hold memory for good: it is cut off. */
  #boundTaking(response: ServerResponse): void {
    if (response.writableLength === 0) return;
    const begin = () => {
      const cutOff = setTimeout(() => response.destroy(), this.#options.limits.maxTakeMs);
      response.once("close", () => clearTimeout(cutOff));
    };
    // An answer to a pipelined request has no socket before the answers ahead of it are taken.
    if (response.socket === null) response.once("socket", begin);
    else begin();
  }
}

/** Parts go together with the head, in as few packets as there can be; `end` lets them go. */
function end(response: ServerResponse, body: Reply["body"]): void {
  if (typeof body === "string") return void response.end(body);
  response.cork();
  for (const part of body) response.write(part);
  response.end();
}

function whenCutOff(response: ServerResponse, action: () => void): void {
  if (response.closed) return action();
  response.once("close", () => {
    if (!response.writableFinished) action();
  });
}

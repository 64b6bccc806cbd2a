import type { IncomingMessage, ServerResponse } from "node:http";
import { errorBody, HttpError, toHttpError } from "./http-error.ts";
import type { Limits } from "../limits.ts";
import type { EventLog } from "../log.ts";
import type { Reply } from "./reply.ts";
import { allRights } from "./rights.ts";
import { type Exchange, route } from "./router.ts";

export interface HandlerOptions {
  readonly log: EventLog;
  readonly limits: Limits;
  readonly authorized: (header: string | undefined) => boolean;
  readonly onError: (error: unknown) => void;
}

/** Answers requests: credentials first, then the routes; every failure in Upstash's form. */
export class RequestHandler {
  readonly #options: HandlerOptions;
  /** Aborts of fetches that wait for records. */
  readonly #waiting = new Set<AbortController>();
  #pendingBytes = 0;
  #stopping = false;

  constructor(options: HandlerOptions) {
    this.#options = options;
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    this.#answer(request, response).then(
      (reply) => this.#send(response, 200, reply),
      (error: unknown) => {
        const failure = toHttpError(error);
        if (failure.status === 500) this.#options.onError(error);
        this.#send(response, failure.status, { body: errorBody(failure), headers: failure.headers });
      },
    );
  }

  /** A client that asks before it sends a body is spared sending what would be refused. */
  handleExpectation(request: IncomingMessage, response: ServerResponse): void {
    const { limits, authorized } = this.#options;
    const tooLong = Number(request.headers["content-length"] ?? 0) > limits.maxBodyBytes;
    if (tooLong || !authorized(request.headers.authorization)) response.shouldKeepAlive = false;
    else response.writeContinue();
    this.handle(request, response);
  }

  /** Ends waits; from here on every answer closes its connection. */
  stop(): void {
    this.#stopping = true;
    for (const wait of this.#waiting) wait.abort();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<Reply> {
    if (request.method === "GET" && request.url === "/healthz") return { body: '{"status":"ok"}' };
    if (!this.#options.authorized(request.headers.authorization)) {
      throw new HttpError(401, "wrong or missing credentials", {
        "www-authenticate": 'Basic realm="bridge"',
      });
    }
    return route(this.#exchange(request, response));
  }

  #exchange(request: IncomingMessage, response: ServerResponse): Exchange {
    const { log, limits } = this.#options;
    let reserved = 0;
    response.once("close", () => (this.#pendingBytes -= reserved));
    const reserve = (bytes: number) => {
      reserved += bytes;
      this.#pendingBytes += bytes;
      if (this.#pendingBytes <= limits.maxPendingBytes) return;
      throw new HttpError(429, "too much is in work; nothing was written", { "retry-after": "1" });
    };
    return { log, limits, request, rights: allRights, reserve, waitSignal: () => this.#waitSignal(response) };
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

  #send(response: ServerResponse, status: number, { body, contentType, headers }: Reply): void {
    if (this.#stopping) response.shouldKeepAlive = false;
    response.writeHead(status, {
      "content-type": contentType ?? "application/json",
      "content-length": Buffer.byteLength(body),
      ...headers,
    });
    response.end(body);
  }
}

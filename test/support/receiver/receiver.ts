import { setImmediate as immediate } from "node:timers/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type { ReceivedCall } from "./call.ts";
import { DeliveryHistory } from "./history.ts";
import { perform } from "./performance.ts";
import { type Arrived, isSigned, readRequest } from "./request.ts";
import { type AnyScript, answerOf, done, type Script } from "./script.ts";

export interface ReceiverSettings {
  /** One of which has to verify each call, unless its endpoint has some of its own; none: not looked at. */
  readonly secrets?: readonly string[];
  /** What must not overlap: calls of one key, of one partition, or nothing. */
  readonly order?: "key" | "partition" | "none";
}

/** What one endpoint does; absent is as for all. */
interface EndpointSettings {
  readonly script?: AnyScript;
  readonly secrets?: readonly string[];
}

/** Turns of the event loop in which what has happened before a call is heard before it. */
const endsHeardFirst = 4;

/** Below it tests in another runtime set scripts and read what came. */
const controlPath = "/_receiver";

/**
 * A receiver of deliveries on loopback: answers each endpoint by its script, keeps every call, and
 * notices at once what must never happen. Any path is an endpoint.
 *
 * From another process: `PUT /_receiver/{endpoint}` with `{script?, secrets?}` as JSON, `GET` of it
 * for `{calls, violations}`, and `GET` with `?count` for `{count}`, the number of calls, alone.
 */
export class Receiver {
  readonly #server: Server;
  readonly #settings: ReceiverSettings;
  readonly #endpoints = new Map<string, EndpointSettings>();
  readonly #history: DeliveryHistory;

  private constructor(settings: ReceiverSettings) {
    this.#settings = settings;
    this.#history = new DeliveryHistory(laneBy(settings.order ?? "key"));
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        this.violations.push(`the receiver failed: ${String(error)}`);
        response.destroy();
      });
    });
    // An idle connection stays open: that a reused one is closed meanwhile would be a failure of its own.
    this.#server.keepAliveTimeout = 0;
  }

  static async start(settings: ReceiverSettings = {}): Promise<Receiver> {
    const receiver = new Receiver(settings);
    await new Promise<void>((resolve) => receiver.#server.listen(0, "127.0.0.1", resolve));
    return receiver;
  }

  /** Without a slash at its end: an endpoint's path goes behind it. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Of every endpoint, in the order of beginning. */
  get calls(): readonly ReceivedCall[] {
    return this.#history.calls;
  }

  /** What went wrong while it happened: overlaps, signatures, calls that cannot be read. */
  get violations(): string[] {
    return this.#history.violations;
  }

  callsOf(endpoint: string): readonly ReceivedCall[] {
    return this.calls.filter((call) => call.endpoint === endpoint);
  }

  /** From now on; without one an endpoint answers 200. */
  script(endpoint: string, script: AnyScript): void {
    this.#endpoints.set(endpoint, { ...this.#endpoints.get(endpoint), script });
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, search } = new URL(request.url ?? "/", this.url);
    let body: string;
    try {
      body = await text(request);
    } catch {
      // The caller went away before it had said anything.
      return;
    }
    if (pathname.startsWith(`${controlPath}/`)) {
      return this.#control(request, pathname.slice(controlPath.length) + search, body, response);
    }
    await this.#receive(request, pathname, body, response);
  }

  async #receive(
    { headers, method }: IncomingMessage,
    endpoint: string,
    body: string,
    response: ServerResponse,
  ): Promise<void> {
    const { script = done(), secrets = this.#settings.secrets } = this.#endpoints.get(endpoint) ?? {};
    let received;
    try {
      if (method !== "POST") throw new Error(`a call is a POST, not a ${method}`);
      received = readRequest(headers, body);
    } catch (error) {
      this.violations.push(`${endpoint}: ${String(error)}`);
      response.writeHead(400).end();
      return;
    }
    if (secrets !== undefined && !isSigned(headers, body, secrets)) {
      this.violations.push(`${received.id} is not signed by any of the secrets`);
    }
    // The end of a call that its caller cut off before this one may be what this process hears next.
    for (let turns = 0; turns < endsHeardFirst; turns += 1) await immediate();
    const begun = this.#history.begin(endpoint, received);
    const scripted = { endpoint, arrival: begun.arrival, deliveries: received.arrived };
    await perform(answerOf(script, scripted), response, begun);
  }

  #control({ method }: IncomingMessage, path: string, body: string, response: ServerResponse): void {
    const [endpoint = "", isCounted] = path.split("?");
    if (method === "PUT") {
      const settings = JSON.parse(body) as { readonly script?: Script; readonly secrets?: string[] };
      this.#endpoints.set(endpoint, { ...this.#endpoints.get(endpoint), ...settings });
    }
    const calls = this.callsOf(endpoint);
    response.writeHead(200, { "content-type": "application/json" });
    const told = isCounted === undefined ? { calls, violations: this.violations } : { count: calls.length };
    response.end(JSON.stringify(told));
  }
}

function laneBy(order: "key" | "partition" | "none"): (arrived: Arrived) => string | null {
  if (order === "none") return () => null;
  const keyOf = ({ key }: Arrived): string => (order === "key" ? ` key ${key}` : "");
  return (arrived) => `${arrived.topic}/${arrived.partition}${keyOf(arrived)}`;
}

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { authorizer, type Credentials } from "./auth.ts";
import { errorBody, HttpError, toHttpError } from "./http-error.ts";
import { defaultLimits, type Limits } from "./limits.ts";
import type { EventLog } from "./log.ts";
import { route } from "./router.ts";

export interface BridgeOptions extends Credentials {
  /** The bridge closes it when it stops. */
  readonly log: EventLog;
  /** Where to listen: 127.0.0.1 unless given. */
  readonly host?: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly limits?: Partial<Limits>;
  /** Hears of failures that are neither the client's nor expected of the log. */
  readonly onError?: (error: unknown) => void;
}

export interface Bridge {
  readonly url: string;
  readonly port: number;
  /** Accepts no more, finishes what is in flight, ends waiting fetches, closes the log. */
  stop(): Promise<void>;
}

/** Starts a bridge. @throws {Error} when the port is taken or the credentials are unusable. */
export async function startBridge(options: BridgeOptions): Promise<Bridge> {
  const host = options.host ?? "127.0.0.1";
  const handler = createHandler(options);
  const server = createServer({ noDelay: true, keepAliveTimeout: 60_000 }, handler.handle);
  await listen(server, options.port, host);
  const { port } = server.address() as AddressInfo;
  let stopped: Promise<void> | undefined;
  const stop = async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    handler.stop();
    server.closeIdleConnections();
    await closed;
    await options.log.close();
  };
  const name = host.includes(":") ? `[${host}]` : host;
  return { url: `http://${name}:${port}`, port, stop: () => (stopped ??= stop()) };
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function createHandler(options: BridgeOptions) {
  const limits = { ...defaultLimits, ...options.limits };
  const authorized = authorizer(options);
  const waiting = new Set<AbortController>();
  let stopping = false;

  const answer = async (request: IncomingMessage, signal: AbortSignal) => {
    if (request.url === "/healthz" && request.method === "GET") return '{"status":"ok"}';
    if (!authorized(request.headers.authorization)) {
      throw new HttpError(401, "wrong or missing credentials", {
        "www-authenticate": 'Basic realm="bridge", charset="UTF-8"',
      });
    }
    return route({ log: options.log, limits, request, signal });
  };

  const handle = (request: IncomingMessage, response: ServerResponse) => {
    const gone = new AbortController();
    waiting.add(gone);
    response.on("close", () => {
      waiting.delete(gone);
      gone.abort();
    });
    answer(request, gone.signal)
      .then((body) => send(response, 200, body, {}, stopping))
      .catch((error: unknown) => {
        const failure = toHttpError(error);
        if (failure.status === 500) options.onError?.(error);
        send(response, failure.status, errorBody(failure), failure.headers, !request.complete);
      });
  };
  const stop = () => {
    stopping = true;
    for (const controller of waiting) controller.abort();
  };
  return { handle, stop };
}

function send(
  response: ServerResponse,
  status: number,
  body: string | Buffer,
  headers: Readonly<Record<string, string>>,
  close: boolean,
): void {
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    ...headers,
    ...(close ? { connection: "close" } : {}),
  });
  response.end(body);
}

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { authorizer, type Credentials } from "./http/auth.ts";
import { RequestHandler } from "./http/handler.ts";
import { errorBody, HttpError } from "./http/http-error.ts";
import { defaultLimits, type Limits } from "./limits.ts";
import type { EventLog } from "./log.ts";

export interface BridgeOptions extends Credentials {
  /** The bridge owns it: it closes it when it stops, and when it cannot start. */
  readonly log: EventLog;
  /** Where to listen: 127.0.0.1 unless given. */
  readonly host?: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly limits?: Partial<Limits>;
  /** Hears of defects: what is neither the client's fault nor a failure that the log names. */
  readonly onError?: (error: unknown) => void;
}

export interface Bridge {
  readonly url: string;
  readonly port: number;
  /** Accepts no more, ends waiting fetches, finishes what is in flight, closes the log. */
  stop(): Promise<void>;
}

/** How long a client may take to send a whole request. */
const REQUEST_TIMEOUT_MS = 60_000;
/** Connections idle in a client's pool stay good for this long, so that few requests meet a reset. */
const KEEP_ALIVE_MS = 120_000;
/** What is still in flight this long after a stop (a client that sends no more) is cut off. */
const STOP_TIMEOUT_MS = 5_000;

/** Starts a bridge. @throws {Error} with a plain sentence: port taken, credentials unusable. */
export async function startBridge(options: BridgeOptions): Promise<Bridge> {
  const host = options.host ?? "127.0.0.1";
  try {
    const handler = new RequestHandler({
      log: options.log,
      limits: { ...defaultLimits, ...options.limits },
      authorized: authorizer(options),
      onError: options.onError ?? ((error) => console.error(error)),
    });
    const server = createBridgeServer(handler);
    const port = await listen(server, options.port, host);
    let stopped: Promise<void> | undefined;
    return {
      url: `http://${host.includes(":") ? `[${host}]` : host}:${port}`,
      port,
      stop: () => (stopped ??= stop(server, handler, options.log)),
    };
  } catch (error) {
    await options.log.close();
    throw error;
  }
}

function createBridgeServer(handler: RequestHandler): Server {
  const settings = {
    noDelay: true,
    keepAliveTimeout: KEEP_ALIVE_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
  };
  return createServer(settings, (request, response) => handler.handle(request, response))
    .on("checkContinue", (request, response) => handler.handleExpectation(request, response))
    .on("clientError", refuseMalformed);
}

async function listen(server: Server, port: number, host: string): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      // The error keeps its code, by which a caller tells a taken port from other failures.
      if (error.code === "EADDRINUSE") error.message = `Port ${port} on ${host} is in use.`;
      reject(error);
    });
    server.listen(port, host, resolve);
  });
  return (server.address() as AddressInfo).port;
}

async function stop(server: Server, handler: RequestHandler, log: EventLog): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  handler.stop();
  server.closeIdleConnections();
  const cutOff = setTimeout(() => server.closeAllConnections(), STOP_TIMEOUT_MS);
  await closed;
  clearTimeout(cutOff);
  await log.close();
}

const parserErrors: Readonly<Record<string, HttpError>> = {
  HPE_HEADER_OVERFLOW: new HttpError(431, "the request's head is too long"),
  ERR_HTTP_REQUEST_TIMEOUT: new HttpError(408, "the request took too long"),
};

/** What is no HTTP request has no response object: the answer is written on the socket. */
function refuseMalformed(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const failure = parserErrors[error.code ?? ""] ?? new HttpError(400, "the request is malformed");
  const body = errorBody(failure);
  socket.end(
    `HTTP/1.1 ${failure.status} \r\nconnection: close\r\ncontent-type: application/json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

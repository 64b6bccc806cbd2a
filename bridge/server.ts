import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { createLogger } from "./telemetry/logger.ts";
import { Telemetry } from "./telemetry/telemetry.ts";
import { watchLog } from "./telemetry/watch-log.ts";
import { authenticator, User } from "./http/auth.ts";
import { RequestHandler } from "./http/handler.ts";
import { errorBody, HttpError } from "./http/http-error.ts";
import { defaultLimits, type Limits } from "./limits.ts";
import type { EventLog } from "./log.ts";
import { allRights } from "./http/rights.ts";

/** Who may use the bridge: one pair with every right, or users with rights of their own. */
export type Credentials =
  | { readonly username: string; readonly password: string }
  | { readonly users: readonly User[] };

export type BridgeOptions = Credentials & {
  /** The bridge owns it: it closes it when it stops, and when it cannot start. */
  readonly log: EventLog;
  /** Where to listen: 127.0.0.1 unless given. */
  readonly host?: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly limits?: Partial<Limits>;
  /** Whether `/metrics` is told to whoever asks. */
  readonly metricsOpen?: boolean;
  /** Figures and lines; without it there are lines of warnings and errors alone. */
  readonly telemetry?: Telemetry;
  /** What is still in flight this long after a stop is cut off. Milliseconds. */
  readonly stopTimeoutMs?: number;
};

export interface Bridge {
  readonly url: string;
  readonly port: number;
  /**
   * Accepts no more, ends waiting fetches, finishes what is in flight, closes the log. Also a
   * produce that waits for a slow log is in flight: it is cut off when the stop's time is up, and
   * its client, who got no answer, cannot know whether it was written.
   */
  stop(): Promise<void>;
}

/** How long a client may take to send a whole request. */
const REQUEST_TIMEOUT_MS = 60_000;
/** Connections idle in a client's pool stay good for this long, so that few requests meet a reset. */
const KEEP_ALIVE_MS = 120_000;
const STOP_TIMEOUT_MS = 5_000;

/** Starts a bridge. @throws {Error} with a plain sentence: port taken, credentials unusable. */
export async function startBridge(options: BridgeOptions): Promise<Bridge> {
  const host = options.host ?? "127.0.0.1";
  const telemetry = options.telemetry ?? new Telemetry(createLogger("warn"));
  try {
    const limits = { ...defaultLimits, ...options.limits };
    const handler = new RequestHandler({
      log: options.log,
      limits,
      authenticate: authenticator(usersOf(options)),
      metricsOpen: options.metricsOpen === true,
      telemetry,
    });
    const server = createBridgeServer(handler);
    server.maxConnections = limits.maxConnections;
    const port = await listen(server, options.port, host);
    const running = { server, handler, log: options.log, telemetry };
    const endWatch = watchLog(options.log, telemetry.log);
    let stopped: Promise<void> | undefined;
    return {
      url: `http://${host.includes(":") ? `[${host}]` : host}:${port}`,
      port,
      stop: () => (stopped ??= stop(running, options.stopTimeoutMs ?? STOP_TIMEOUT_MS).finally(endWatch)),
    };
  } catch (error) {
    await options.log.close();
    throw error;
  }
}

function usersOf(credentials: Credentials): readonly User[] {
  if ("users" in credentials) return credentials.users;
  return [User.withPassword(credentials.username, credentials.password, allRights)];
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

interface Running {
  readonly server: Server;
  readonly handler: RequestHandler;
  readonly log: EventLog;
  readonly telemetry: Telemetry;
}

async function stop({ server, handler, log, telemetry }: Running, timeoutMs: number): Promise<void> {
  telemetry.log("info", "stopping", { inFlight: handler.inFlight });
  const closed = new Promise((resolve) => server.close(resolve));
  handler.stop();
  server.closeIdleConnections();
  const cutOff = setTimeout(() => {
    telemetry.log("warn", "cut-off", { inFlight: handler.inFlight });
    server.closeAllConnections();
  }, timeoutMs);
  await closed;
  clearTimeout(cutOff);
  await log.close();
  telemetry.log("info", "stopped");
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

import type { IncomingMessage } from "node:http";
import { parseJson, readBody, scanJson } from "./body.ts";
import { fetchRecords, listOffsets } from "./consume.ts";
import { HttpError } from "./http-error.ts";
import type { Limits } from "./limits.ts";
import { type EventLog, jsonSlice, EMPTY_HEADERS } from "./log.ts";
import { scanMessages } from "./messages.ts";
import { produce } from "./produce.ts";

export interface RouteContext {
  readonly log: EventLog;
  readonly limits: Limits;
  readonly request: IncomingMessage;
  /** Aborts when the client is gone or the bridge stops. */
  readonly signal: AbortSignal;
}

/** Answers one authenticated request. @throws {HttpError} */
export async function route(context: RouteContext): Promise<string | Buffer> {
  const { log, limits, request } = context;
  const url = new URL(request.url ?? "/", "http://bridge");
  const [name, ...rest] = segments(url.pathname);
  const body = () => readBody(request, limits.maxBodyBytes);
  const json = async () => scanJson(await body(), parseJson);
  switch (name) {
    case "topics":
      expect(rest.length === 0);
      allow(request, ["GET"]);
      return JSON.stringify(Object.fromEntries(await log.topics()));
    case "produce":
      expect(rest.length <= 2);
      allow(request, rest.length === 2 ? ["GET"] : ["GET", "POST"]);
      return rest.length === 2
        ? produceFromPath(context, rest[0] ?? "", rest[1] ?? "", url.searchParams.get("key"))
        : produceFromBody(context, await body(), rest[0] ?? null);
    case "fetch":
      expect(rest.length === 0);
      allow(request, ["GET", "POST"]);
      return fetchRecords(log, limits, await json(), context.signal);
    case "offsets":
      expect(rest.length === 1);
      allow(request, ["GET", "POST"]);
      return listOffsets(log, limits, await json(), rest[0] ?? "");
    default:
      throw new HttpError(404, "not found");
  }
}

function produceFromBody(context: RouteContext, body: Buffer, topic: string | null) {
  const { log, limits } = context;
  const defaults = { topic, timestamp: Date.now() };
  const messages = scanJson(body, (bytes) => scanMessages(bytes, limits.maxBatch, defaults));
  return produce(log, limits, messages);
}

/** `GET /produce/{topic}/{message}` answers the one record's metadata, not an array. */
async function produceFromPath(context: RouteContext, topic: string, text: string, key: string | null) {
  const message = {
    topic,
    partition: null,
    timestamp: Date.now(),
    key: key === null ? null : jsonSlice(key),
    value: jsonSlice(text),
    headers: EMPTY_HEADERS,
  };
  const answer = await produce(context.log, context.limits, [message]);
  return answer.slice(1, -1);
}

/** A path's segments, decoded; one trailing slash does not count. */
function segments(path: string): string[] {
  try {
    return path.replace(/^\//, "").replace(/\/$/, "").split("/").map(decodeURIComponent);
  } catch {
    throw new HttpError(400, "the path is not valid percent-encoding");
  }
}

function expect(found: boolean): void {
  if (!found) throw new HttpError(404, "not found");
}

function allow(request: IncomingMessage, methods: readonly string[]): void {
  if (methods.includes(request.method ?? "")) return;
  throw new HttpError(405, "method not allowed", { allow: methods.join(", ") });
}

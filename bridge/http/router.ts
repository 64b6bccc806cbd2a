import type { IncomingMessage } from "node:http";
import { parseJson, readBody, scanJson } from "./body.ts";
import { fetchRecords, listOffsets } from "./read.ts";
import type { Reply } from "./reply.ts";
import type { Exchange } from "./exchange.ts";
import { mayKnow } from "./rights.ts";
import { HttpError } from "./http-error.ts";
import { EMPTY_HEADERS, jsonSlice } from "../log.ts";
import { scanMessages } from "./messages.ts";
import { produce } from "./produce.ts";

/** @throws {HttpError} */
export async function route(exchange: Exchange): Promise<Reply> {
  const { request } = exchange;
  // The first question mark ends the path; further ones belong to the query.
  const [path = "", ...queries] = (request.url ?? "").split("?");
  const query = queries.join("?");
  const [name, ...rest] = segments(path);
  switch (name) {
    case "topics":
      check(request, rest.length === 0, ["GET"]);
      return { body: await listTopics(exchange) };
    case "produce":
      check(request, rest.length <= 2, rest.length === 2 ? ["GET"] : ["GET", "POST"]);
      return rest.length === 2
        ? produceFromPath(exchange, rest[0] ?? "", rest[1] ?? "", new URLSearchParams(query).get("key"))
        : produceFromBody(exchange, rest[0] ?? null);
    case "fetch":
      check(request, rest.length === 0, ["GET", "POST"]);
      return fetchRecords(exchange, await json(exchange));
    case "offsets":
      check(request, rest.length === 1, ["GET", "POST"]);
      return listOffsets(exchange, await json(exchange), rest[0] ?? "");
    default:
      throw new HttpError(404, "not found");
  }
}

/** A credential hears of the topics that it may do something with. */
async function listTopics({ log, rights }: Exchange): Promise<string> {
  const known = [...(await log.topics())].filter(([topic]) => mayKnow(rights, topic));
  return JSON.stringify(Object.fromEntries(known));
}

async function produceFromBody(exchange: Exchange, topic: string | null): Promise<Reply> {
  const { limits } = exchange;
  const body = await readBody(exchange.request, limits.maxBodyBytes, exchange.receive);
  const defaults = { topic, timestamp: Date.now() };
  return produce(
    exchange,
    scanJson(body, () => scanMessages(body, limits.maxBatch, defaults)),
  );
}

/** `GET /produce/{topic}/{message}` answers the one record's metadata, not an array. */
async function produceFromPath(
  exchange: Exchange,
  topic: string,
  text: string,
  key: string | null,
): Promise<Reply> {
  exchange.receive(Buffer.byteLength(text));
  const message = {
    topic,
    partition: null,
    timestamp: Date.now(),
    key: key === null ? null : jsonSlice(key),
    value: jsonSlice(text),
    headers: EMPTY_HEADERS,
  };
  const { body, ...reply } = await produce(exchange, [message]);
  return { ...reply, body: body.slice(1, -1) };
}

async function json({ request, limits, receive }: Exchange): Promise<unknown> {
  const body = await readBody(request, limits.maxBodyBytes, receive);
  return scanJson(body, () => parseJson(body));
}

/** A path's segments, decoded; one trailing slash does not count. @throws {HttpError} 400 */
function segments(path: string): string[] {
  const inside = path.slice(1, path.length > 1 && path.endsWith("/") ? -1 : undefined);
  try {
    return inside.split("/").map((segment) => decodeURIComponent(segment));
  } catch {
    throw new HttpError(400, "the path is not valid percent-encoding");
  }
}

function check(request: IncomingMessage, found: boolean, methods: readonly string[]): void {
  if (!found) throw new HttpError(404, "not found");
  if (methods.includes(request.method ?? "")) return;
  throw new HttpError(405, "method not allowed", { allow: methods.join(", ") });
}

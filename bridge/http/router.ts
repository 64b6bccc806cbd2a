import type { IncomingMessage } from "node:http";
import { parseJson, readBody, scanJson } from "./body.ts";
import { fetchRecords, listOffsets } from "./read.ts";
import type { Reply } from "./reply.ts";
import type { Exchange } from "./exchange.ts";
import { commit, consume, listCommitted, listConsumers, removeInstance } from "./groups.ts";
import { mayKnow } from "./rights.ts";
import { receiveWebhook } from "./webhook.ts";
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
    case "webhook":
      check(request, rest.length === 0, ["GET", "POST"]);
      return receiveWebhook(exchange, new URLSearchParams(query));
    default:
      return routeGroups(exchange, name ?? "", rest, new URLSearchParams(query));
  }
}

/** What concerns consumer groups. @throws {HttpError} */
async function routeGroups(
  exchange: Exchange,
  name: string,
  [group = "", instance = "", ...rest]: readonly string[],
  query: URLSearchParams,
): Promise<Reply> {
  const { request } = exchange;
  const named = group !== "" && instance !== "" && rest.length === 0;
  const id = { group, instance };
  switch (name) {
    case "consumers":
      check(request, group === "", ["GET"]);
      return listConsumers(exchange);
    case "consume":
      check(
        request,
        named || (rest.length === 1 && instance !== ""),
        rest.length === 1 ? ["GET"] : ["GET", "POST"],
      );
      return consume(
        exchange,
        id,
        rest.length === 1 ? { topic: rest[0], timeout: numberIn(query, "timeout") } : await json(exchange),
      );
    case "commit":
      check(request, named, ["GET", "POST"]);
      return commit(exchange, id, await optionalJson(exchange));
    case "committed":
      check(request, named, ["GET", "POST"]);
      return listCommitted(exchange, id, await json(exchange), numberIn(query, "timeout"));
    case "delete-consumer":
      check(request, named, ["POST", "DELETE"]);
      return removeInstance(exchange, id);
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

/** Undefined for an empty body. */
async function optionalJson({ request, limits, receive }: Exchange): Promise<unknown> {
  const body = await readBody(request, limits.maxBodyBytes, receive);
  return body.toString().trim() === "" ? undefined : scanJson(body, () => parseJson(body));
}

/** A number in the query; NaN, which nothing takes, where it is none. */
function numberIn(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  return /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
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

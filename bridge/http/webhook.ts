import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { jsonSlice } from "../log.ts";
import { readBody } from "./body.ts";
import type { Exchange } from "./exchange.ts";
import { HttpError } from "./http-error.ts";
import { produce } from "./produce.ts";
import type { Reply } from "./reply.ts";

/** HTTP's own headers, and those of browsers: they speak of the request, not of the event. */
const STANDARD =
  /^(?:accept|accept-.*|access-control-.*|alt-.*|cache-control|cdn-.*|connection|content-.*|cookie2?|date|dnt|early-data|expect|from|host|http2-settings|if-.*|keep-alive|max-forwards|origin|pragma|prefer|priority|proxy-.*|range|referer|sec-.*|save-data|te|trailer|transfer-encoding|upgrade|upgrade-insecure-requests|user-agent|via|warning)$/;

/** Credentials: any name with a word for one. */
const SECRET =
  /(?:^|[-_])(?:auth|authorization|authentication|api-?keys?|keys?|secrets?|tokens?|password|passwd|credentials?|session|csrf|xsrf|jwt)(?:[-_]|$)|^cf-access-.*$/;

/**
 * What proxies and platforms add; some hold the address of a client, which is never kept. Any name
 * with a word for an address is taken for one.
 */
const ADDRESS =
  /^(?:cf-.*|forwarded|x-forwarded.*|x-vercel-.*|x-envoy-.*|x-azure-.*|x-appengine-.*|fastly-.*|fly-.*|x-client-.*|(?:x-)?remote.*|(?:x-)?peer.*)$|(?:^|[-_])(?:ip|ips|ipv4|ipv6|ipaddr|ipaddress|(?:real|source|client|user|true|origin|remote)ip|addr|address|forwarded)(?:[-_]|$)|-for$/;

/**
 * One record: the request's body as it is, with the headers that say something of the event.
 * Answers the record's metadata. @throws {HttpError}
 */
export async function receiveWebhook(exchange: Exchange, query: URLSearchParams): Promise<Reply> {
  const { request, limits } = exchange;
  const topic = query.get("topic");
  const key = query.get("key");
  if (topic === null) throw new HttpError(400, "say which topic: ?topic=");
  const body = await readBody(request, limits.maxBodyBytes, exchange.receive);
  // Values are texts here: other bytes would come back changed.
  if (!isUtf8(body)) throw new HttpError(400, "the body is not UTF-8, and a value is a text");
  const message = {
    topic,
    partition: null,
    timestamp: Date.now(),
    key: key === null ? null : jsonSlice(key),
    value: jsonSlice(body.toString()),
    headers: jsonSlice(recordHeaders(request)),
  };
  const { body: metadata, ...reply } = await produce(exchange, [message]);
  return { ...reply, body: metadata.slice(1, -1) };
}

function recordHeaders(request: IncomingMessage): { key: string; value: string }[] {
  // What `Connection` lists is for the next hop alone.
  const hopByHop = new Set((request.headers.connection ?? "").toLowerCase().split(/\s*,\s*/));
  return Object.entries(request.headersDistinct)
    .filter(([name]) => !hopByHop.has(name))
    .filter(([name]) => !STANDARD.test(name) && !SECRET.test(name) && !ADDRESS.test(name))
    .flatMap(([key, values = []]) => values.map((value) => ({ key, value })));
}

/**
 * The request's credentials. A webhook's sender that can set nothing but a URL has them in its
 * query, `?user=&pass=`, which is therefore never logged.
 */
export function authorizationOf({ headers, url = "" }: IncomingMessage): string | undefined {
  if (headers.authorization !== undefined || !/^\/webhook\/?\?/.test(url)) return headers.authorization;
  const query = new URLSearchParams(url.slice(url.indexOf("?")));
  const user = query.get("user");
  const password = query.get("pass");
  if (user === null || password === null) return undefined;
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}

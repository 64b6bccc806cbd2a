import type { ConnectQuery, Holder } from "../../durable-objects/feed/rpc.ts";
import { idPattern } from "../auction/events.ts";
import { findRevoked } from "../credentials/key-store.ts";
import { decodeCursor } from "../live/cursor.ts";
import { eventStream } from "../live/event-stream.ts";
import { mostItems } from "../live/protocol.ts";
import { Problem } from "../lib/problem.ts";
import { type Services, servicesFor } from "../services.ts";
import { admit, type AppContext } from "./operation.ts";
import { liveParameters, readParameters } from "./parameters.ts";

/** `POST /v1/live/tickets`: opens one connection for whoever cannot send `Authorization` with it. */
export async function postTicket(context: AppContext): Promise<Response> {
  const { services, holder } = await admitted(context);
  const { ticket, expiresAt } = await services.feeds.issueTicket(holder);
  const headers = { "cache-control": "no-store" };
  return context.json({ ticket, expiresAt: new Date(expiresAt).toISOString() }, 201, headers);
}

/** `GET /v1/live?items=&after=&ticket=`: a WebSocket, or server-sent events. */
export async function getLive(context: AppContext): Promise<Response> {
  const parameters = readParameters(liveParameters, context.req.queries());
  const items = readItems(parameters.items);
  const form = formOf(context.req.raw);
  const last = parameters.after ?? (form === "events" ? context.req.header("last-event-id") : undefined);
  // Whoever has come from nowhere may say so.
  const after = last === "" ? undefined : last;
  if (after !== undefined && decodeCursor(after, items) === undefined) {
    throw new Problem("invalid-parameter", "after: must be the id of a message");
  }
  const { ticket } = parameters;
  const sender = ticket === undefined ? admitted(context) : ticketed(context, ticket);
  const { services, holder, feed } = await sender;
  await requireNotRevoked(context, services, holder);
  const query: ConnectQuery = { items, holder, ...(after === undefined ? {} : { after }) };
  const socket = await services.feeds.connect(query, feed);
  if (form === "socket") return new Response(null, { status: 101, webSocket: socket });
  return new Response(eventStream(socket, every), {
    headers: { "content-type": "text/event-stream", "cache-control": "no-store" },
  });
}

interface Sender {
  readonly services: Services;
  readonly holder: Holder;
  /** That has the ticket; absent: any. */
  readonly feed?: number;
}

/** By its credential. @throws {Problem} */
async function admitted(context: AppContext): Promise<Sender> {
  const { services, credential } = await admit(context, "read");
  const isKey = /^bearer +gvl_/i.test(context.req.header("authorization") ?? "");
  const isStoredKey = isKey && !services.config.apiKeys.has(credential.id);
  return { services, holder: { credential: credential.id, isStoredKey } };
}

/** By its ticket. Every attempt counts for its address, and one that fails as a credential that is not known. @throws {Problem} */
async function ticketed(context: AppContext, ticket: string): Promise<Sender> {
  const services = servicesFor(context.env);
  const { headers } = context.req.raw;
  await services.rateLimits.countOpen(headers);
  const redeemed = await services.feeds.redeemTicket(ticket);
  if (redeemed === null) {
    await services.rateLimits.countUnknown(headers);
    throw new Problem("unauthenticated", "The ticket is not known, or was used, or its minute is over");
  }
  context.get("operation").fields.credential = redeemed.holder.credential;
  return { services, ...redeemed };
}

/**
 * A ticket, or what is kept of a key, may say so for a minute; what they open would go on until the
 * feed's next look. With both one behind the other, a revocation would not hold within a minute.
 * @throws {Problem}
 */
async function requireNotRevoked(
  context: AppContext,
  { database, rateLimits }: Services,
  { credential, isStoredKey }: Holder,
): Promise<void> {
  if (!isStoredKey || (await findRevoked(database, [credential])).length === 0) return;
  await rateLimits.countUnknown(context.req.raw.headers);
  throw new Problem("unauthenticated", "The API key is not valid any more", {
    cause: `key ${credential} is revoked`,
  });
}

/** Sorted, each once: cursors are of a set. @throws {Problem} */
function readItems(text: string): string[] {
  const items = [...new Set(text.split(","))].sort();
  if (items.length > mostItems) throw new Problem("too-many", `items: at most ${mostItems} of them`);
  if (items.every((item) => idPattern.test(item))) return items;
  throw new Problem("invalid-parameter", "items: must be item ids with commas between them");
}

/** How the client wants to be told. @throws {Problem} `upgrade-required`. */
function formOf({ headers, method }: Request): "socket" | "events" {
  const isGet = method === "GET";
  if (isGet && headers.get("upgrade")?.toLowerCase() === "websocket") return "socket";
  if (isGet && /\btext\/event-stream\b/i.test(headers.get("accept") ?? "")) return "events";
  const upgrade = { upgrade: "websocket" };
  throw new Problem("upgrade-required", "Open a WebSocket, or send Accept: text/event-stream", {
    headers: upgrade,
  });
}

function every(milliseconds: number, callback: () => void): () => void {
  const timer = setInterval(callback, milliseconds);
  return () => clearInterval(timer);
}

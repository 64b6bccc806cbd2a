import { z } from "zod";
import { liveParameters } from "../../src/routes/parameters.ts";
import { ticket } from "../answers/live.ts";
import { itemId } from "../examples.ts";
import { json, type Operation, parameter } from "../operation.ts";

const tag = "Live";
const { items, after } = liveParameters.shape;

export const live: readonly Operation[] = [
  {
    method: "post",
    path: "/v1/live/tickets",
    operationId: "postTicket",
    tag,
    summary: "Get a ticket for a live connection",
    description:
      "For browsers, which cannot send `Authorization` with a WebSocket or an `EventSource`. It is good for one connection, within a minute.",
    scopes: ["read"],
    answers: { 201: json("The ticket", ticket) },
  },
  {
    method: "get",
    path: "/v1/live",
    operationId: "getLive",
    tag,
    summary: "Follow items live",
    description:
      'Tells the items as they are, and each again when it changes: over a WebSocket with `Upgrade: websocket`, or as server-sent events with `Accept: text/event-stream`. A message is JSON, `{type: "items", number, id, items}`; an `id` is where its reader is, for `after` or `Last-Event-ID`. Over a WebSocket the client acknowledges what it has read with `{"ack": number}`.',
    scopes: ["read"],
    takesTicket: true,
    parameters: {
      query: z.object({
        items: parameter(items, "1 to 64 item ids, with commas between them", itemId),
        after: parameter(after, "The `id` of the last message of the same items"),
      }),
      headers: z.object({
        "last-event-id": parameter(after, "As `after`, of server-sent events"),
      }),
    },
    answers: {
      101: { description: "The connection is a WebSocket from here on" },
      200: {
        description: "Server-sent events, until one of both sides ends them",
        content: { "text/event-stream": { schema: z.string() } },
      },
      426: { description: "Neither a WebSocket nor server-sent events were asked for", headers: ["Upgrade"] },
    },
    problems: [400, 422],
  },
];

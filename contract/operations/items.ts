import { z } from "zod";
import { id } from "../../src/ingest/schemas.ts";
import {
  bidderBidsParameters,
  bidsParameters,
  itemParameters,
  lineageParameters,
  listParameters,
} from "../../src/routes/parameters.ts";
import { bidderBidPage } from "../answers/bidders.ts";
import { lineage } from "../answers/lineage.ts";
import { bidPage, itemPage, itemView } from "../answers/items.ts";
import { itemId } from "../examples.ts";
import { json, type Operation, parameter } from "../operation.ts";

const tag = "Items";
const path = z.object({ itemId: parameter(id, "The item", itemId) });
const { after } = itemParameters.shape;
const { limit, before } = bidsParameters.shape;
const list = listParameters.shape;
const ofBidder = bidderBidsParameters.shape;

export const items: readonly Operation[] = [
  {
    method: "get",
    path: "/v1/items",
    operationId: "listItems",
    tag,
    summary: "List items that are open, over all partitions",
    description: "A page may be shorter than `limit`; `next` tells whether there is more.",
    scopes: ["read"],
    parameters: {
      query: z.object({
        category: parameter(list.category, "Of this category alone", "lamps"),
        seller: parameter(list.seller, "Of this seller alone"),
        endsBefore: parameter(list.endsBefore, "That end before"),
        sort: parameter(list.sort, "What ends first, or what was listed last, comes first", "newest"),
        limit: parameter(list.limit, "Items of a page at most", 10),
        cursor: parameter(list.cursor, "The `next` of the page before, with the same `sort`"),
      }),
    },
    answers: { 200: json("A page of items", itemPage) },
    problems: [400],
  },
  {
    method: "get",
    path: "/v1/items/{itemId}",
    operationId: "getItem",
    tag,
    summary: "Read an item",
    description:
      "`reserve` is shown to its seller and to credentials that are bound to nobody. With `after` the answer is not from before that record has taken effect: it waits at most 2 seconds, and is then 503 `not-yet-applied`.",
    scopes: ["read"],
    parameters: {
      path,
      query: z.object({ after: parameter(after, "`topic:partition:offset` of a record of this item") }),
    },
    answers: { 200: json("The item", itemView) },
    problems: [400, 404],
  },
  {
    method: "get",
    path: "/v1/items/{itemId}/bids",
    operationId: "getBids",
    tag,
    summary: "Read an item's bids, the newest first",
    scopes: ["read"],
    parameters: {
      path,
      query: z.object({
        limit: parameter(limit, "Bids of a page at most", 10),
        before: parameter(before, "The `next` of the page before"),
      }),
    },
    answers: { 200: json("A page of bids", bidPage) },
    problems: [400, 404],
  },
  {
    method: "get",
    path: "/v1/bidders/{bidderId}/bids",
    operationId: "getBidderBids",
    tag,
    summary: "Read a bidder's bids over all partitions, the newest first",
    description: "A credential that is bound to a subject reads its own. A page may be shorter than `limit`.",
    scopes: ["read"],
    parameters: {
      path: z.object({ bidderId: parameter(id, "The bidder", "ben") }),
      query: z.object({
        status: parameter(ofBidder.status, "Bids that are so now", "winning"),
        limit: parameter(ofBidder.limit, "Bids of a page at most", 10),
        cursor: parameter(ofBidder.cursor, "The `next` of the page before"),
      }),
    },
    answers: { 200: json("A page of bids", bidderBidPage) },
    problems: [400],
  },
  {
    method: "get",
    path: "/v1/events/{id}/lineage",
    operationId: "getLineage",
    tag: "Events",
    summary: "Follow a recent event from its request to the last function",
    description:
      "Where several events have the id, `source`, `item` and `subject` tell which is meant; with `item` one partition is asked and not all.",
    scopes: ["read"],
    parameters: {
      path: z.object({ id: parameter(z.string(), "The event's id", "bid-2") }),
      query: z.object({
        source: parameter(lineageParameters.shape.source, "The event's source", "/shops/antiques"),
        item: parameter(lineageParameters.shape.item, "Its item", itemId),
        subject: parameter(
          lineageParameters.shape.subject,
          "Its sender's subject; empty for a back end's",
          "",
        ),
      }),
    },
    answers: { 200: json("Every step that is known", lineage) },
    problems: [400, 404, 409],
  },
];

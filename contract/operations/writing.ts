import { z } from "zod";
import {
  bidSchema,
  envelopeSchema,
  eventIdentifier,
  id,
  itemSchema,
  text,
  tickSchema,
  timestamp,
  withdrawalSchema,
} from "../../src/ingest/schemas.ts";
import { eventTypes } from "../../src/topics.ts";
import { accepted, acceptedWithOutcome, none, several } from "../answers/events.ts";
import { bid, item, itemId } from "../examples.ts";
import { type Answer, json, type MediaType, type Operation, parameter } from "../operation.ts";

const tag = "Writing";

const prefer = parameter(
  z.string().optional(),
  "`wait=N` (1 to 10 seconds): the outcome of one event in the answer, where it is known in time. `return=minimal`: of several events the rejected alone. What is not understood is passed over (RFC 7240)",
  "wait=10",
);

const traceHeaders = {
  traceparent: parameter(z.string().optional(), "W3C Trace Context, which the event continues"),
  tracestate: parameter(z.string().optional(), "As `traceparent`"),
};

const plainHeaders = z.object({
  Prefer: prefer,
  "Idempotency-Key": parameter(
    eventIdentifier.optional(),
    "The id of a single event, by which its repetition is known; several events get ids of their own",
  ),
  ...traceHeaders,
});

const links = {
  item: { operationId: "getItem", parameters: { itemId: "$request.body#/itemId" } },
  bids: { operationId: "getBids", parameters: { itemId: "$request.body#/itemId" } },
};

/** Answers of everything that writes. */
function answersOf(isSingle: boolean, more: Pick<Answer, "links"> = {}): Record<number, Answer> {
  const one: Record<number, Answer> = {
    200: json("One event is in the log, and this is what became of it", acceptedWithOutcome, {
      headers: ["Location", "Preference-Applied"],
      ...more,
    }),
    202: json("All events are in the log, acknowledged by every in-sync replica", accepted, {
      headers: ["Location"],
      ...more,
    }),
  };
  if (isSingle) return one;
  return {
    ...one,
    202: json(
      "All events are in the log, acknowledged by every in-sync replica",
      z.union([accepted, several]),
      { mayHave: ["Location", "Preference-Applied"], ...more },
    ),
    207: json("Some of the events are in the log", several, { mayHave: ["Preference-Applied"] }),
    422: json("Not one event was taken, or the only one is not valid", z.union([several, none]), {
      mayHave: ["Preference-Applied"],
    }),
    503: json("The log takes nothing", several, { mayHave: ["Preference-Applied"] }),
  };
}

/** One event, several of them, or several in lines. */
function plainContent(
  schema: z.ZodType,
  value: Readonly<Record<string, unknown>>,
  another: Readonly<Record<string, unknown>>,
): Record<string, MediaType> {
  return {
    "application/json": {
      schema: z.union([schema, z.array(schema).min(1).max(1000)]),
      examples: {
        one: { summary: "One", value },
        several: { summary: "Several, each with a result of its own", value: [another, value] },
      },
    },
    "application/x-ndjson": {
      schema: z.string().meta({ description: "A JSON document in every line, as in an array" }),
      examples: {
        lines: { summary: "Two lines", value: `${JSON.stringify(value)}\n${JSON.stringify(another)}\n` },
      },
    },
  };
}

const itemDocument = itemSchema.meta({ id: "Item" });
const bidDocument = bidSchema.meta({ id: "Bid" });
const withdrawalDocument = withdrawalSchema.meta({ id: "Withdrawal" });

/** A whole CloudEvent of each type: its data is what the type says. */
const cloudEvent = z
  .union([
    envelopeSchema.extend({ type: z.literal(eventTypes.itemListed), data: itemDocument }),
    envelopeSchema.extend({ type: z.literal(eventTypes.bidPlaced), data: bidDocument }),
    envelopeSchema.extend({ type: z.literal(eventTypes.itemWithdrawn), data: withdrawalDocument }),
    envelopeSchema.extend({
      type: z.literal(eventTypes.tick),
      subject: id,
      time: timestamp,
      data: tickSchema,
    }),
  ])
  .meta({ id: "CloudEvent", description: "CloudEvents 1.0; an attribute that is null counts as absent" });

function event(type: string, name: string, data: unknown): Record<string, unknown> {
  return { specversion: "1.0", id: name, source: "/shops/antiques", type, subject: itemId, data };
}

const listing = event(eventTypes.itemListed, "listing-1", item);
const bidding = event(eventTypes.bidPlaced, "bid-1", bid);

const ceHeaders = z.object({
  Prefer: prefer,
  "ce-specversion": parameter(z.literal("1.0").optional(), "Binary mode: it is there"),
  "ce-id": parameter(eventIdentifier.optional(), "Binary mode"),
  "ce-source": parameter(eventIdentifier.optional(), "Binary mode"),
  "ce-type": parameter(envelopeSchema.shape.type.optional(), "Binary mode"),
  "ce-subject": parameter(text(1, 256).optional(), "Binary mode: the item's id, or absent"),
  "ce-time": parameter(timestamp.optional(), "Binary mode; counts with the scope `trusted-time`"),
  "ce-dataschema": parameter(eventIdentifier.optional(), "Binary mode"),
  ...traceHeaders,
});

export const writing: readonly Operation[] = [
  {
    method: "post",
    path: "/v1/items",
    operationId: "postItems",
    tag,
    summary: "List items for auction",
    description: "A listed item's terms never change; to list it again is passed over.",
    scopes: ["items:write"],
    parameters: { headers: plainHeaders },
    body: { required: true, content: plainContent(itemDocument, item, { ...item, itemId: "lamp-2" }) },
    answers: answersOf(false, { links }),
  },
  {
    method: "post",
    path: "/v1/bids",
    operationId: "postBids",
    tag,
    summary: "Place bids",
    scopes: ["bids:write"],
    parameters: { headers: plainHeaders },
    body: { required: true, content: plainContent(bidDocument, bid, { ...bid, amount: 1600 }) },
    answers: answersOf(false, { links }),
  },
  {
    method: "post",
    path: "/v1/events",
    operationId: "postEvents",
    tag,
    summary: "Publish CloudEvents, structured, in a batch, or in binary mode",
    description:
      "In binary mode the attributes are `ce-` headers, percent-encoded, and the body is the data. Each type needs the scope that writing it otherwise needs; `gavel.tick.v1` needs `trusted-time`.",
    scopes: ["items:write", "bids:write", "trusted-time"],
    parameters: { headers: ceHeaders },
    body: {
      required: true,
      content: {
        "application/cloudevents+json": {
          schema: cloudEvent,
          examples: { structured: { summary: "One event", value: listing } },
        },
        "application/cloudevents-batch+json": {
          schema: z.array(cloudEvent).min(1).max(1000),
          examples: { batch: { summary: "Several events", value: [listing, bidding] } },
        },
        "application/json": {
          schema: z.union([itemDocument, bidDocument, withdrawalDocument, tickSchema.unwrap().unwrap()]),
          examples: {
            binary: {
              summary: "The data of one event, whose attributes are in headers",
              value: bid,
              "x-headers": {
                "ce-specversion": "1.0",
                "ce-id": "bid-2",
                "ce-source": "/shops/antiques",
                "ce-type": eventTypes.bidPlaced,
                "ce-subject": itemId,
              },
            },
          },
        },
      },
    },
    answers: answersOf(false),
  },
  {
    method: "post",
    path: "/v1/items/{itemId}/withdraw",
    operationId: "withdrawItem",
    tag,
    summary: "Withdraw an item before its end",
    scopes: ["items:write"],
    parameters: {
      path: z.object({ itemId: parameter(id, "The item", "lamp-2") }),
      headers: plainHeaders,
    },
    body: {
      required: false,
      content: {
        "application/json": {
          schema: withdrawalSchema.omit({ itemId: true }).meta({ id: "WithdrawalReason" }),
          examples: { reason: { summary: "With a reason", value: { reason: "It fell down" } } },
        },
      },
    },
    answers: answersOf(true, {
      links: { item: { operationId: "getItem", parameters: { itemId: "$request.path.itemId" } } },
    }),
  },
];

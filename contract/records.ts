import { z } from "zod";
import {
  bidSchema,
  eventIdentifier,
  id,
  itemSchema,
  timestamp,
  withdrawalSchema,
} from "../src/ingest/schemas.ts";
import { profileSchema } from "../src/profiles/profile.ts";
import { eventTypes, type TopicRole } from "../src/topics.ts";
import { completedAuction } from "./answers/auctions.ts";
import { edgeMembers } from "./answers/edge.ts";
import { amount, bidReasons, highestBid, nullable, offset, partition } from "./answers/events.ts";
import { endings } from "./answers/items.ts";

/** What the records of Gavel's topics hold, by topic and type: the value's data, and the headers. */

type EventType = (typeof eventTypes)[keyof typeof eventTypes];

export interface RecordMessage {
  readonly name: string;
  readonly type: EventType;
  readonly summary: string;
  readonly payload: z.ZodType;
  readonly headers: z.ZodObject;
}

const edge = z
  .strictObject(edgeMembers)
  .meta({ id: "Edge", description: "Where and by whom it was accepted; no address" });

const traceparent = z.string().regex(/^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/);

const attributes = {
  ce_specversion: z.literal("1.0"),
  ce_id: eventIdentifier,
  ce_source: eventIdentifier,
  ce_time: timestamp,
  "content-type": z.string(),
};
const trace = { ce_traceparent: traceparent.optional(), ce_tracestate: z.string().max(512).optional() };

/** What clients sent: extension attributes are beside those of Gavel. */
const fromEdge = (type: EventType) =>
  z.looseObject({
    ...attributes,
    ce_type: z.literal(type),
    ce_subject: id,
    ce_traceparent: traceparent,
    ce_tracestate: trace.ce_tracestate,
  });

const opened = (type: EventType) =>
  z.strictObject({ ...attributes, ce_type: z.literal(type), ce_subject: id, ...trace });

/** What a group writes has its place among the partition's outputs of the topic. */
const fromGroup = (type: EventType) =>
  z.strictObject({
    ...attributes,
    ce_type: z.literal(type),
    ce_subject: z.string().min(1).optional(),
    ...trace,
    gavel_sequence: z.string().regex(/^[1-9]\d*$/),
  });

const notification = { itemId: id, bidderId: id, bidId: eventIdentifier, amount };

const opening = itemSchema
  .extend({
    edge,
    itemsOffset: offset,
    listing: z.strictObject({ source: eventIdentifier, id: eventIdentifier }),
    rules: z.literal(1),
    graceMs: z.int().min(0),
    earlyBidWaitMs: z.int().min(0),
    retentionMs: z.int().min(0),
    itemsGap: z.strictObject({ from: offset, to: offset }).optional(),
  })
  .meta({ id: "ItemOpened" });

const ofProfile = nullable(
  profileSchema.extend({
    updatedAt: timestamp.optional(),
    asOf: timestamp,
    ageMs: z.int().min(0),
  }),
);

const deadLetter = z
  .strictObject({
    group: z.string(),
    function: z.string().optional(),
    topic: z.string(),
    partition,
    offset,
    attempts: z.int().min(0),
    error: z.string(),
    record: z.strictObject({
      key: z.string(),
      value: z.string(),
      truncated: z.literal(true).optional(),
      headers: z.array(z.strictObject({ key: z.string(), value: z.string() })),
      timestamp: z.int(),
    }),
  })
  .meta({ id: "DeadLetterRecord" });

const gap = z
  .strictObject({
    group: z.string(),
    topic: z.string(),
    partition,
    from: offset,
    to: offset,
    reason: z.literal("retention"),
  })
  .meta({ id: "LogGap" });

const disabled = z
  .strictObject({ group: z.string(), function: z.string(), reason: z.string(), disabledAt: timestamp })
  .meta({ id: "FunctionDisabled" });

const message = (
  name: string,
  type: EventType,
  summary: string,
  payload: z.ZodType,
  headers: (type: EventType) => z.ZodObject,
): RecordMessage => ({ name, type, summary, payload, headers: headers(type) });

/** Every type of record, by the topic that carries it. */
export const records: Readonly<Record<TopicRole, readonly RecordMessage[]>> = {
  items: [
    message(
      "itemListed",
      eventTypes.itemListed,
      "An item is listed for auction",
      itemSchema.extend({ edge }).meta({ id: "ItemListed" }),
      fromEdge,
    ),
  ],
  journal: [
    message(
      "bidPlaced",
      eventTypes.bidPlaced,
      "A bid is placed; whether it stands is decided by its place in the journal",
      bidSchema.extend({ edge }).meta({ id: "BidPlaced" }),
      fromEdge,
    ),
    message(
      "itemWithdrawn",
      eventTypes.itemWithdrawn,
      "A seller wants an item back",
      withdrawalSchema.extend({ edge }).meta({ id: "ItemWithdrawn" }),
      fromEdge,
    ),
    message(
      "itemOpened",
      eventTypes.itemOpened,
      "An item of auction.items, relayed into the journal with the settings in force",
      opening,
      opened,
    ),
    message(
      "tick",
      eventTypes.tick,
      "The partition's stream time moves to the record's timestamp",
      z.strictObject({ edge }).meta({ id: "Tick" }),
      fromEdge,
    ),
  ],
  completed: [
    message(
      "itemCompleted",
      eventTypes.itemCompleted,
      "An item is finished: once, also when it is listed again",
      completedAuction,
      fromGroup,
    ),
  ],
  notifications: [
    message(
      "bidderOutbid",
      eventTypes.bidderOutbid,
      "A bid no longer stands, since another one is higher",
      z.strictObject({ ...notification, highest: highestBid }).meta({ id: "BidderOutbid" }),
      fromGroup,
    ),
    message(
      "bidderWon",
      eventTypes.bidderWon,
      "A bid has won",
      z.strictObject(notification).meta({ id: "BidderWon" }),
      fromGroup,
    ),
    message(
      "bidderLost",
      eventTypes.bidderLost,
      "A bidder's last accepted bid has not won",
      z
        .strictObject({ ...notification, outcome: endings, price: amount.optional() })
        .meta({ id: "BidderLost" }),
      fromGroup,
    ),
    message(
      "bidderRejected",
      eventTypes.bidderRejected,
      "A bid is rejected",
      z.strictObject({ ...notification, reason: z.enum(bidReasons) }).meta({ id: "BidderRejected" }),
      fromGroup,
    ),
  ],
  validated: [
    message(
      "itemValidated",
      eventTypes.itemValidated,
      "A finished item with the profiles of its seller and its winner",
      completedAuction
        .extend({ profiles: z.strictObject({ seller: ofProfile, winner: ofProfile }) })
        .meta({ id: "ItemValidated" }),
      fromGroup,
    ),
  ],
  deadLetters: [
    message("deadLetter", eventTypes.deadLetter, "What could not be processed", deadLetter, fromGroup),
    message(
      "logGap",
      eventTypes.logGap,
      "Records that the log deleted before they were read",
      gap,
      fromGroup,
    ),
    message(
      "functionDisabled",
      eventTypes.functionDisabled,
      "A subscription is disabled, since its endpoint says that it is gone or stays away",
      disabled,
      fromGroup,
    ),
  ],
};

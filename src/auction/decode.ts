import { eventTypes } from "../topics.ts";
import {
  idPattern,
  type BidData,
  type Edge,
  type OffsetRange,
  type Opening,
  type WithdrawalData,
  type WithEdge,
} from "./events.ts";
import { visitHeaders } from "../kafka/header-text.ts";
import type { LogRecord } from "../kafka/port.ts";

/** Who sent an event, as far as telling a repetition needs it. */
export interface EventIdentity {
  /** The credential's subject, or "" for a back end that may write any. */
  readonly subject: string;
  readonly source: string;
  readonly id: string;
}

interface Decoded {
  readonly offset: number;
  /** The record's timestamp: the event's time (milliseconds since the epoch). */
  readonly timestamp: number;
  readonly identity: EventIdentity;
  /** The time was set by a trusted credential, not by the edge's clock. */
  readonly trustedTime: boolean;
  readonly traceparent: string | undefined;
  readonly tracestate: string | undefined;
}

export interface BidEvent extends Decoded {
  readonly kind: "bid";
  readonly data: WithEdge<BidData>;
}

export interface WithdrawalEvent extends Decoded {
  readonly kind: "withdrawal";
  readonly data: WithEdge<WithdrawalData>;
}

export interface OpeningEvent extends Decoded {
  readonly kind: "opening";
  readonly data: Opening;
}

export interface TickEvent extends Decoded {
  readonly kind: "tick";
}

/** A record of the journal that cannot be read: it ends as a dead letter, and the next one goes on. */
export interface UnreadableRecord {
  readonly kind: "unreadable";
  readonly offset: number;
  readonly timestamp: number;
  readonly why: string;
  readonly record: LogRecord;
  /** Of an item that could not be opened: its offset in `auction.items`. */
  readonly itemsOffset: number | undefined;
  /** What the log had lost before it. */
  readonly itemsGap: OffsetRange | undefined;
}

export type JournalEvent = BidEvent | WithdrawalEvent | OpeningEvent | TickEvent | UnreadableRecord;

/** Reads one journal record. Never throws: what it cannot read is a value that says why. */
export function decodeJournalRecord(record: LogRecord): JournalEvent {
  const headers = readHeaders(record);
  if (headers.type === "") return unreadable(record, "the record has no ce_type header");
  if (headers.id === "") return unreadable(record, "the record has no ce_id header");
  let value: unknown;
  try {
    value = JSON.parse(record.value);
  } catch {
    return unreadable(record, "the value is not JSON");
  }
  if (!isObject(value)) return unreadable(record, "the value is not a JSON object");
  const edge = value["edge"];
  const opening = headers.type === eventTypes.itemOpened ? value : undefined;
  // What the relay could not read of an item, it could not read either.
  if (isText(opening?.["unreadable"])) return unreadable(record, whyOf(opening), opening);
  if (!isEdge(edge)) {
    return unreadable(record, "the value has no edge with receivedAt and credential", opening);
  }
  if (!isPlausible(record.timestamp, timeOf(edge.receivedAt))) {
    return unreadable(record, "the timestamp is no time, or ahead of its acceptance", opening);
  }
  return decodeData(record, headers, value, edge);
}

/** The edge takes no time further ahead of its clock; what is would close auctions before their time. */
const maximumAheadMs = 5_000;
/** The end of the year 9999, the last that RFC 3339 can write. */
const latestTime = 253_402_300_799_999;

function isPlausible(timestamp: number, receivedAt: number): boolean {
  return timestamp >= 0 && timestamp <= Math.min(latestTime, receivedAt + maximumAheadMs);
}

interface CloudEventHeaders {
  type: string;
  id: string;
  source: string;
  traceparent: string | undefined;
  tracestate: string | undefined;
}

function readHeaders(record: LogRecord): CloudEventHeaders {
  const found: CloudEventHeaders = {
    type: "",
    id: "",
    source: "",
    traceparent: undefined,
    tracestate: undefined,
  };
  visitHeaders(record, (key, value) => {
    if (key === "ce_type") found.type = value;
    else if (key === "ce_id") found.id = value;
    else if (key === "ce_source") found.source = value;
    else if (key === "ce_traceparent") found.traceparent = value;
    else if (key === "ce_tracestate") found.tracestate = value;
  });
  return found;
}

function decodeData(
  record: LogRecord,
  headers: CloudEventHeaders,
  value: Record<string, unknown>,
  edge: Edge,
): JournalEvent {
  const { offset, timestamp } = record;
  const identity = { subject: edge.subject ?? "", source: headers.source, id: headers.id };
  const trustedTime = timeOf(edge.receivedAt) !== timestamp;
  const { traceparent, tracestate } = headers;
  const common = { offset, timestamp, identity, trustedTime, traceparent, tracestate };
  switch (headers.type) {
    case eventTypes.bidPlaced:
      return isBid(value) && value.itemId === record.key
        ? { kind: "bid", ...common, data: value }
        : unreadable(record, "the value is not a bid on the record's key");
    case eventTypes.itemOpened:
      return isOpening(value) && value.itemId === record.key
        ? { kind: "opening", ...common, data: value }
        : unreadable(record, "the item cannot be read", value);
    case eventTypes.itemWithdrawn:
      return isWithdrawal(value) && value.itemId === record.key
        ? { kind: "withdrawal", ...common, data: value }
        : unreadable(record, "the value is not a withdrawal of the record's key");
    case eventTypes.tick:
      return { kind: "tick", ...common };
    default:
      return unreadable(record, `the journal carries no ${headers.type.slice(0, 100)}`);
  }
}

function whyOf({ why }: Record<string, unknown>): string {
  return isText(why) ? why : "the item cannot be read";
}

/** @param opening the value of an item's opening, of which the rest can be read */
function unreadable(record: LogRecord, why: string, opening?: Record<string, unknown>): UnreadableRecord {
  const { offset, timestamp } = record;
  const itemsOffset = opening?.["itemsOffset"];
  const itemsGap = opening?.["itemsGap"];
  return {
    kind: "unreadable",
    offset,
    timestamp,
    why,
    record,
    itemsOffset: isCount(itemsOffset) ? itemsOffset : undefined,
    itemsGap: isRange(itemsGap) ? itemsGap : undefined,
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isId(value: unknown): value is string {
  return typeof value === "string" && idPattern.test(value);
}

/** An offset, or money in minor units. */
function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isRange(value: unknown): value is OffsetRange {
  return isObject(value) && isCount(value["from"]) && isCount(value["to"]) && value["from"] < value["to"];
}

// The events of one request were received at the same time, and parsing it costs as much as the rest.
let lastText = "";
let lastTime = Number.NaN;

function timeOf(text: string): number {
  if (text === lastText) return lastTime;
  lastText = text;
  lastTime = Date.parse(text);
  return lastTime;
}

function isTime(value: unknown): value is string {
  return typeof value === "string" && Math.abs(Date.parse(value)) <= latestTime;
}

function isOptional(value: unknown, check: (value: unknown) => boolean): boolean {
  return value === undefined || check(value);
}

function isEdge(value: unknown): value is Edge {
  return (
    isObject(value) &&
    isText(value["receivedAt"]) &&
    !Number.isNaN(timeOf(value["receivedAt"])) &&
    isText(value["credential"]) &&
    isOptional(value["subject"], isText) &&
    isOptional(value["country"], isText) &&
    isOptional(value["cell"], isText)
  );
}

function isBid(value: Record<string, unknown>): value is Record<string, unknown> & WithEdge<BidData> {
  return (
    isId(value["itemId"]) &&
    isId(value["bidderId"]) &&
    isCount(value["amount"]) &&
    isText(value["currency"]) &&
    isOptional(value["bidId"], isText)
  );
}

function isWithdrawal(
  value: Record<string, unknown>,
): value is Record<string, unknown> & WithEdge<WithdrawalData> {
  return isId(value["itemId"]) && isOptional(value["reason"], isText);
}

function isListing(value: unknown): value is Opening["listing"] {
  return isObject(value) && isText(value["source"]) && isText(value["id"]);
}

function isOpening(value: Record<string, unknown>): value is Record<string, unknown> & Opening {
  return (
    isId(value["itemId"]) &&
    isId(value["sellerId"]) &&
    isText(value["title"]) &&
    isText(value["category"]) &&
    isText(value["currency"]) &&
    isCount(value["startingPrice"]) &&
    isTime(value["endsAt"]) &&
    isOptional(value["startsAt"], isTime) &&
    isOptional(value["reserve"], isCount) &&
    isOptional(value["increment"], isCount) &&
    isOptional(value["attributes"], isObject) &&
    isListing(value["listing"]) &&
    isOptional(value["itemsGap"], isRange) &&
    value["rules"] === 1 &&
    [value["itemsOffset"], value["graceMs"], value["earlyBidWaitMs"], value["retentionMs"]].every(isCount)
  );
}

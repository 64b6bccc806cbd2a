import type { Edge } from "../auction/events.ts";
import { visitHeaders } from "../kafka/header-text.ts";
import type { LogRecord, TopicPartitionOffset } from "../kafka/port.ts";
import { eventTypes } from "../topics.ts";

/** An event as a client sent it, by the record that the log has of it. */
export interface EventRecord {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly itemId: string;
  /** Of its own topic. */
  readonly place: TopicPartitionOffset;
  /** Its own time. */
  readonly timestamp: number;
  /** Absent of a record that did not come by the edge. */
  readonly edge?: Edge;
  readonly traceId?: string;
  /** By which its outputs know a bid, where it is one. */
  readonly bidId?: string;
}

interface Headers {
  id: string;
  source: string;
  type: string;
  traceparent: string;
  sequence: number;
}

export function headersOf(record: LogRecord): Headers {
  const headers = { id: "", source: "", type: "", traceparent: "", sequence: 0 };
  visitHeaders(record, (key, value) => {
    if (key === "ce_id") headers.id = value;
    else if (key === "ce_source") headers.source = value;
    else if (key === "ce_type") headers.type = value;
    else if (key === "ce_traceparent") headers.traceparent = value;
    else if (key === "gavel_sequence") headers.sequence = Number(value);
  });
  return headers;
}

/**
 * What a record of the items or the journal is: of an opening the listing that it was made of, whose
 * id, time, trace and acceptance it carries.
 * @param items as named in the log
 */
export function eventOf(record: LogRecord, items: string): EventRecord {
  const headers = headersOf(record);
  const value = parseObject(record.value);
  const { topic, partition, offset } = record;
  const common = {
    itemId: record.key,
    timestamp: record.timestamp,
    ...(isEdge(value["edge"]) ? { edge: value["edge"] } : {}),
    ...traceOf(headers.traceparent),
  };
  const { id, source, type } = headers;
  const { listing, itemsOffset } = value;
  if (type === eventTypes.itemOpened && isListing(listing) && typeof itemsOffset === "number") {
    const place = { topic: items, partition, offset: itemsOffset };
    return { ...common, id: listing.id, source: listing.source, type: eventTypes.itemListed, place };
  }
  const bidId = typeof value["bidId"] === "string" ? value["bidId"] : id;
  const ofBid = type === eventTypes.bidPlaced ? { bidId } : {};
  return { ...common, ...ofBid, id, source, type, place: { topic, partition, offset } };
}

function traceOf(traceparent: string): { readonly traceId?: string } {
  const [, traceId] = /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(traceparent) ?? [];
  return traceId === undefined ? {} : { traceId };
}

function isEdge(value: unknown): value is Edge {
  if (!isObject(value)) return false;
  return typeof value["receivedAt"] === "string" && typeof value["credential"] === "string";
}

function isListing(value: unknown): value is { readonly source: string; readonly id: string } {
  return isObject(value) && typeof value["source"] === "string" && typeof value["id"] === "string";
}

export function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

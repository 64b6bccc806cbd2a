/**
 * Reads one journal record for the plain model: what it is, or that nobody can tell. It checks the
 * shapes of the interface's table of records and nothing that the edge alone decides.
 */
import { eventTypes } from "../../src/topics.ts";
import type { BidData, OffsetRange, Opening, WithdrawalData, WithEdge } from "../../src/auction/events.ts";
import type { LogRecord } from "../../src/kafka/port.ts";

interface Event {
  readonly record: LogRecord;
  readonly id: string;
  readonly source: string;
}

export type Decoded =
  | (Event & { readonly kind: "bid"; readonly data: WithEdge<BidData>; readonly bidId: string })
  | (Event & { readonly kind: "withdrawal"; readonly data: WithEdge<WithdrawalData> })
  | (Event & { readonly kind: "opening"; readonly opening: Opening })
  | { readonly kind: "tick" }
  | Undecodable;

export interface Undecodable {
  readonly kind: "undecodable";
  /** Of an item that was relayed although nobody can read it. */
  readonly itemsOffset?: number;
  /** What was deleted in front of it. */
  readonly itemsGap?: OffsetRange;
}

const undecodable: Undecodable = { kind: "undecodable" };

export function header(record: Pick<LogRecord, "headers">, name: string): string | undefined {
  return record.headers.find(({ key }) => key === name)?.value;
}

export function decode(record: LogRecord): Decoded {
  const id = header(record, "ce_id");
  const source = header(record, "ce_source") ?? "";
  const data = parse(record.value);
  if (id === undefined || data === undefined) return undecodable;
  if (isAhead(record, data)) {
    return header(record, "ce_type") === eventTypes.itemOpened ? unreadableItem(data) : undecodable;
  }
  const event = { record, id, source };
  switch (header(record, "ce_type")) {
    case eventTypes.bidPlaced:
      return isBid(data) ? { kind: "bid", ...event, data, bidId: data.bidId ?? id } : undecodable;
    case eventTypes.itemWithdrawn:
      return isWithdrawal(data) ? { kind: "withdrawal", ...event, data } : undecodable;
    case eventTypes.itemOpened:
      return isOpening(data) ? { kind: "opening", ...event, opening: data } : unreadableItem(data);
    case eventTypes.tick:
      return { kind: "tick" };
    default:
      return undecodable;
  }
}

/** The edge takes no time more than 5 s ahead of its clock. */
function isAhead({ timestamp }: LogRecord, data: object): boolean {
  const edge: unknown = Reflect.get(data, "edge");
  const receivedAt: unknown =
    typeof edge === "object" && edge !== null ? Reflect.get(edge, "receivedAt") : null;
  return typeof receivedAt === "string" && timestamp > Date.parse(receivedAt) + 5_000;
}

function parse(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function unreadableItem(data: object): Undecodable {
  const itemsOffset: unknown = Reflect.get(data, "itemsOffset");
  const itemsGap: unknown = Reflect.get(data, "itemsGap");
  if (typeof itemsOffset !== "number") return undecodable;
  return { ...undecodable, itemsOffset, ...(isRange(itemsGap) && { itemsGap }) };
}

function isRange(value: unknown): value is OffsetRange {
  return typeof value === "object" && value !== null && has(value, { from: "number", to: "number" });
}

type Kind = "string" | "number" | "object";

function has(value: object, fields: Readonly<Record<string, Kind>>): boolean {
  return Object.entries(fields).every(([name, kind]) => {
    const field: unknown = Reflect.get(value, name);
    return typeof field === kind && field !== null;
  });
}

function isBid(value: object): value is WithEdge<BidData> {
  return has(value, {
    itemId: "string",
    bidderId: "string",
    amount: "number",
    currency: "string",
    edge: "object",
  });
}

function isWithdrawal(value: object): value is WithEdge<WithdrawalData> {
  return has(value, { itemId: "string", edge: "object" });
}

function isOpening(value: object): value is Opening {
  return has(value, {
    itemId: "string",
    sellerId: "string",
    title: "string",
    category: "string",
    currency: "string",
    startingPrice: "number",
    endsAt: "string",
    edge: "object",
    itemsOffset: "number",
    listing: "object",
    graceMs: "number",
    earlyBidWaitMs: "number",
    retentionMs: "number",
  });
}

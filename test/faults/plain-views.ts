/** What can be read of a partition, computed from the plain model's whole history each time. */
import type { CategoryCounts } from "../../durable-objects/rpc.ts";
import { accepted, bidders, highestOf } from "./plain-item.ts";
import type { JudgedBid, PlainItem } from "./plain-item.ts";
import type { PlainModel } from "./plain-model.ts";

export const windowMs = 10_000;
/** How long windows are kept, in milliseconds of stream time. */
const windowsKeptMs = 3_600_000;

function statusOf(item: PlainItem, model: PlainModel): string {
  const { startsAt } = item.opening;
  const scheduled = startsAt !== undefined && model.streamTime < Date.parse(startsAt);
  return item.status === "open" && scheduled ? "scheduled" : item.status;
}

export function viewOf(item: PlainItem, model: PlainModel): object {
  const highest = highestOf(item);
  const { offset: _offset, closedAt: _closedAt, ...state } = itemView(item, model);
  const view = {
    itemId: item.opening.itemId,
    ...state,
    reserveMet: highest !== undefined && highest.amount >= (item.opening.reserve ?? 0),
  };
  if (item.closedAt === null) return view;
  const closedAt = new Date(item.closedAt).toISOString();
  const outcome = { outcome: item.status, closedAt };
  if (item.status !== "sold" || highest === undefined) return { ...view, outcome };
  const { amount, bidderId, bidId, offset } = highest;
  return { ...view, outcome: { ...outcome, price: amount, winner: { bidderId, bidId, offset } } };
}

/** An item's state as the plain model has it. */
export function itemView(item: PlainItem, model: PlainModel): ItemSummary {
  const highest = highestOf(item);
  return {
    status: statusOf(item, model),
    highest: highest === undefined ? null : standingOf(highest),
    offset: highest?.offset ?? null,
    bids: accepted(item).length,
    // A withdrawal that was refused counts as little as one that was not.
    rejected: item.bids.length - accepted(item).length,
    bidders: bidders(item),
    closedAt: item.closedAt,
  };
}

interface ItemSummary {
  readonly status: string;
  readonly highest: object | null;
  readonly offset: number | null;
  readonly bids: number;
  readonly rejected: number;
  readonly bidders: number;
  readonly closedAt: number | null;
}

function standingOf({ amount, bidderId, bidId }: JudgedBid): object {
  return { amount, bidderId, bidId };
}

export function bidViews(item: PlainItem): object[] {
  return item.bids
    .toSorted((one, other) => other.offset - one.offset)
    .map(({ bidId, bidderId, amount, at, reason, offset }) => ({
      bidId,
      bidderId,
      amount,
      at: new Date(at).toISOString(),
      outcome: reason === null ? "accepted" : "rejected",
      ...(reason !== null && { reason }),
      offset,
    }));
}

/** A bidder's bids on all items that are still told of, the last judged first. */
export function bidderViews(bidderId: string, model: PlainModel): object[] {
  const all = [...model.items.values()].flatMap((item) => {
    if (model.isForgotten(item)) return [];
    return item.bids.filter((bid) => bid.bidderId === bidderId).map((bid) => ({ bid, item }));
  });
  return all
    .toSorted((one, other) => other.bid.place - one.bid.place)
    .map(({ bid, item }) => ({
      itemId: bid.itemId,
      bidId: bid.bidId,
      amount: bid.amount,
      ...(bid.reason === null && { currency: item.opening.currency }),
      at: new Date(bid.at).toISOString(),
      status: bidStatus(bid, item),
      ...(bid.reason !== null && { reason: bid.reason }),
      offset: bid.offset,
    }));
}

function bidStatus(bid: JudgedBid, item: PlainItem): string {
  if (bid.reason !== null) return "rejected";
  const isHighest = highestOf(item) === bid;
  if (item.status === "open") return isHighest ? "winning" : "outbid";
  return item.status === "sold" && isHighest ? "won" : "lost";
}

/** Ids of the items that may be bid on, in the order of a listing. */
export function openItems(sort: "ending" | "newest", model: PlainModel): string[] {
  const open = [...model.items.values()].filter((item) => statusOf(item, model) === "open");
  const key = (item: PlainItem): number =>
    sort === "ending" ? item.endsAt + item.opening.graceMs : -item.openedAt;
  const order = sort === "ending" ? 1 : -1;
  return open
    .toSorted((one, other) => {
      const byId = one.opening.itemId < other.opening.itemId ? -1 : 1;
      return key(one) - key(other) || order * byId;
    })
    .map((item) => item.opening.itemId);
}

export function categoryRows(model: PlainModel): CategoryCounts[] {
  const items = [...model.items.values()];
  const rows = groupBy(items, ({ opening }) => [opening.category, opening.currency]);
  return rows.map(([[category = "", currency = ""], own]) => {
    const count = (status: string): number => own.filter((item) => statusOf(item, model) === status).length;
    const sold = own.filter((item) => item.status === "sold");
    return {
      category,
      currency,
      scheduled: count("scheduled"),
      open: count("open"),
      sold: count("sold"),
      unsold: count("unsold"),
      withdrawn: count("withdrawn"),
      bids: sum(own.map((item) => accepted(item).length)),
      grossValue: String(sum(sold.map((item) => highestOf(item)?.amount ?? 0))),
    };
  });
}

interface Accepted {
  readonly bid: JudgedBid;
  readonly item: PlainItem;
}

function allAccepted(model: PlainModel): Accepted[] {
  return [...model.items.values()].flatMap((item) => accepted(item).map((bid) => ({ bid, item })));
}

export function windows(model: PlainModel): object[] {
  const kept = allAccepted(model).filter(({ bid }) => {
    const start = bid.at - (bid.at % windowMs);
    return model.streamTime < start + windowMs + windowsKeptMs;
  });
  const rows = groupBy(kept, ({ bid, item }) => [
    String(bid.at - (bid.at % windowMs)),
    item.opening.category,
    item.opening.currency,
  ]);
  return sorted(
    rows.map(([[start, category, currency], own]) => ({
      start: Number(start),
      category,
      currency,
      bids: own.length,
      bidders: distinctBidders(own),
      highest: Math.max(...own.map(({ bid }) => bid.amount)),
      hottest: hottest(own),
    })),
  );
}

/** The items with the most bids, ties by id. */
function hottest(own: readonly Accepted[]): object[] {
  return groupBy(own, ({ bid }) => [bid.itemId])
    .map(([[itemId = ""], bids]) => ({ itemId, bids: bids.length }))
    .toSorted((one, other) => other.bids - one.bids || (one.itemId < other.itemId ? -1 : 1))
    .slice(0, 10);
}

export function cells(model: PlainModel): object[] {
  const placed = allAccepted(model).filter(({ bid }) => bid.edge.cell !== undefined);
  const rows = groupBy(placed, ({ bid }) => [bid.edge.cell ?? "", bid.edge.country ?? ""]);
  return sorted(
    rows.map(([[cell, country], own]) => ({
      cell,
      country,
      bids: own.length,
      bidders: distinctBidders(own),
    })),
  );
}

function distinctBidders(own: readonly Accepted[]): number {
  return new Set(own.map(({ bid }) => bid.bidderId)).size;
}

function groupBy<Value>(values: readonly Value[], key: (value: Value) => string[]): [string[], Value[]][] {
  const groups = Map.groupBy(values, (value) => JSON.stringify(key(value)));
  return [...groups].map(([text, own]) => [JSON.parse(text) as string[], own]);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

export function sorted<Row extends object>(rows: readonly Row[]): Row[] {
  const text = (row: Row): string =>
    ["start", "category", "currency", "cell", "country"]
      .map((name) => String(Reflect.get(row, name)))
      .join(" ");
  return rows.toSorted((one, other) => text(one).localeCompare(text(other), "en"));
}

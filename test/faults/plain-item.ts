/** One item of the plain model: what it holds, and the rules that only look at it. */
import type { BidData, BidReason, Edge, HighestBid, Opening, Outcome } from "../../src/auction/events.ts";
import type { Decoded } from "./plain-decoding.ts";

export type BidRecord = Extract<Decoded, { kind: "bid" }>;
export type WithdrawalRecord = Extract<Decoded, { kind: "withdrawal" }>;

export interface JudgedBid extends BidData {
  readonly bidId: string;
  readonly edge: Edge;
  /** The bid's own timestamp. */
  readonly at: number;
  readonly offset: number;
  readonly reason: BidReason | null;
  /** Place among all bids of the partition, in the order of judgement. */
  readonly place: number;
}

export interface PlainItem {
  readonly opening: Opening;
  /** Timestamp of the opening, which is the listing's. */
  readonly openedAt: number;
  readonly endsAt: number;
  /** Every bid judged, in the order of judgement. */
  readonly bids: JudgedBid[];
  /** The outcome of the first event of each identity. */
  readonly identities: Map<string, Outcome>;
  status: "open" | "sold" | "unsold" | "withdrawn";
  closedAt: number | null;
  /** Stream time beyond which only the item's tombstone is left; endless while it is open. */
  keptUntil: number;
}

export function accepted(item: PlainItem): JudgedBid[] {
  return item.bids.filter((bid) => bid.reason === null);
}

/** The highest accepted bid: each exceeds the one before, so it is the last. */
export function highestOf(item: PlainItem): JudgedBid | undefined {
  return accepted(item).at(-1);
}

export function bidders(item: PlainItem): number {
  return new Set(accepted(item).map((bid) => bid.bidderId)).size;
}

/** A bid's reason for rejection, the first that applies. */
/** Who listed an item by which event. */
export function identityOf({ edge, listing }: Opening): string {
  return JSON.stringify([edge.subject ?? "", listing.source, listing.id]);
}

export function reasonAgainst(data: BidData, at: number, item: PlainItem): BidReason | null {
  const { opening } = item;
  const highest = highestOf(item);
  if (item.status === "withdrawn") return "withdrawn";
  if (opening.startsAt !== undefined && at < Date.parse(opening.startsAt)) return "not-started";
  if (at >= item.endsAt || item.status !== "open") return "ended";
  if (data.currency !== opening.currency) return "currency-mismatch";
  if (data.bidderId === opening.sellerId) return "own-item";
  if (data.amount < opening.startingPrice) return "below-start";
  const least = highest === undefined ? 0 : highest.amount + (opening.increment ?? 1);
  return data.amount < least ? "too-low" : null;
}

export function reasonAgainstWithdrawal(
  event: WithdrawalRecord,
  item: PlainItem,
): "withdrawn" | "ended" | "not-seller" | null {
  const { subject } = event.data.edge;
  if (item.status === "withdrawn") return "withdrawn";
  if (event.record.timestamp >= item.endsAt || item.status !== "open") return "ended";
  return subject !== undefined && subject !== item.opening.sellerId ? "not-seller" : null;
}

/** What an outcome tells of the item after the event. */
export function standing(item: PlainItem): { highest?: HighestBid; bids: number } {
  const highest = highestOf(item);
  const bids = accepted(item).length;
  if (highest === undefined) return { bids };
  const { amount, bidderId, bidId } = highest;
  return { highest: { amount, bidderId, bidId }, bids };
}

export function concerning(bid: JudgedBid): Record<string, unknown> {
  return { itemId: bid.itemId, bidderId: bid.bidderId, bidId: bid.bidId, amount: bid.amount };
}

export function completion(
  item: PlainItem,
  outcome: string,
  winner: JudgedBid | undefined,
): Record<string, unknown> {
  const { opening } = item;
  return {
    itemId: opening.itemId,
    sellerId: opening.sellerId,
    title: opening.title,
    category: opening.category,
    ...(opening.attributes && { attributes: opening.attributes }),
    currency: opening.currency,
    outcome,
    ...(winner && {
      price: winner.amount,
      winner: { bidderId: winner.bidderId, bidId: winner.bidId, offset: winner.offset },
    }),
    startingPrice: opening.startingPrice,
    ...(opening.reserve !== undefined && { reserve: opening.reserve }),
    bids: accepted(item).length,
    bidders: bidders(item),
    startsAt: opening.startsAt ?? new Date(item.openedAt).toISOString(),
    endsAt: opening.endsAt,
    closedAt: new Date(item.closedAt ?? 0).toISOString(),
  };
}

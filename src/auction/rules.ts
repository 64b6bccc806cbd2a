import type { BidEvent, EventIdentity, WithdrawalEvent } from "./decode.ts";
import type { BidReason, RejectionReason } from "./events.ts";
import type { ItemState, Tombstone } from "./state.ts";

/** How long, in stream time, a finished item still knows its events again. */
export const repetitionWindowMs = 24 * 60 * 60 * 1000;

/**
 * In force before the first opening, which brings the settings with it: a setting read from
 * anywhere but the journal would make a rebuild depend on when it happens.
 */
export const initialEarlyBidWaitMs = 60 * 60 * 1000;
export const initialRetentionMs = 7 * 24 * 60 * 60 * 1000;

/**
 * How many events may wait for their items, per partition. Many do where items were listed and bid
 * on while their partition was down: their openings come behind the bids.
 */
export const maximumWaiting = 100_000;

/**
 * Why a bid is refused, or null where it stands. The first reason that applies, in the order of
 * the interface. The bid's own timestamp decides whether it was in time; an item that is already
 * complete refuses every bid.
 */
export function judgeBid(item: ItemState, bid: BidEvent): BidReason | null {
  const { timestamp, data } = bid;
  if (item.phase === "withdrawn") return "withdrawn";
  if (item.startsAt !== null && timestamp < item.startsAt) return "not-started";
  if (isComplete(item) || timestamp >= item.endsAt) return "ended";
  if (data.currency !== item.currency) return "currency-mismatch";
  if (data.bidderId === item.sellerId) return "own-item";
  if (data.amount < item.startingPrice) return "below-start";
  if (item.highest !== null && data.amount < item.highest.amount + item.increment) return "too-low";
  return null;
}

/** Why a withdrawal is refused, or null. An unbound credential may withdraw any item. */
export function judgeWithdrawal(item: ItemState, withdrawal: WithdrawalEvent): RejectionReason | null {
  if (item.phase === "withdrawn") return "withdrawn";
  if (isComplete(item) || withdrawal.timestamp >= item.endsAt) return "ended";
  const { subject } = withdrawal.identity;
  return subject !== "" && subject !== item.sellerId ? "not-seller" : null;
}

/** Why an event on an item that has left is refused. */
export function judgeDeparted(tombstone: Tombstone): "withdrawn" | "ended" {
  return tombstone.withdrawn ? "withdrawn" : "ended";
}

export function isComplete(item: ItemState): boolean {
  return item.phase !== "scheduled" && item.phase !== "open";
}

/** Whether two events are one: what a retry sends again. Source: CloudEvents, `source` and `id`. */
export function isSameEvent(left: EventIdentity, right: EventIdentity): boolean {
  return left.id === right.id && left.source === right.source && left.subject === right.subject;
}

/** Whether a finished item still tells repetitions of its events (see `repetitionWindowMs`). */
export function tellsRepetitions(item: ItemState, streamTime: number): boolean {
  return item.closedAt === null || streamTime <= item.closedAt + repetitionWindowMs;
}

/**
 * The first stream time at which nothing of an item that closes now is needed any more but its
 * tombstone. Fixed at completion: when its rows go is housekeeping, and must decide nothing.
 */
export function departureOf(closedAt: number, retentionMs: number): number {
  return closedAt + Math.max(retentionMs, repetitionWindowMs) + 1;
}

export function hasDeparted(item: ItemState, streamTime: number): boolean {
  return item.departsAt !== null && streamTime >= item.departsAt;
}

export function reserveMet(item: ItemState): boolean {
  return item.highest !== null && item.highest.amount >= (item.reserve ?? 0);
}

import { deadLetterData, gapData } from "../dead-letter.ts";
import { eventTypes } from "../topics.ts";
import type { BidEvent, UnreadableRecord } from "./decode.ts";
import type { HighestBid, ItemTerms, RejectionReason } from "./events.ts";
import type { Entry, ItemState, LogGap, LosersOutput, Output, OutputCause, StandingBid } from "./state.ts";

/** Which record an output comes from; makes its id, time and trace. */
export interface Cause {
  /** Journal topic as named in the log, and its partition. */
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly streamTime: number;
  readonly traceparent: string | undefined;
  readonly tracestate: string | undefined;
  /** Outputs of this record so far. */
  count: number;
}

/** The output's id, and the place in the journal that it is made of. */
function nextPlace(cause: Cause): { readonly id: string; readonly cause: OutputCause } {
  cause.count += 1;
  const { topic, partition, offset, count } = cause;
  return { id: `${topic}/${partition}/${offset}/${count}`, cause: { offset, count } };
}

function output(
  cause: Cause,
  topic: Output["topic"],
  type: string,
  key: string,
  data: Readonly<Record<string, unknown>>,
): Output {
  const { streamTime: time, traceparent, tracestate } = cause;
  return { topic, type, ...nextPlace(cause), key, time, data, traceparent, tracestate };
}

export function outbid(cause: Cause, item: ItemState, displaced: HighestBid, by: HighestBid): Output {
  const { amount, bidderId, bidId } = by;
  return output(cause, "notifications", eventTypes.bidderOutbid, item.itemId, {
    itemId: item.itemId,
    bidderId: displaced.bidderId,
    bidId: displaced.bidId,
    amount: displaced.amount,
    highest: { amount, bidderId, bidId },
  });
}

export function rejected(cause: Cause, bid: BidEvent, reason: RejectionReason): Output {
  const { itemId, bidderId, amount, bidId } = bid.data;
  return output(cause, "notifications", eventTypes.bidderRejected, itemId, {
    itemId,
    bidderId,
    bidId: bidId ?? bid.identity.id,
    amount,
    reason,
  });
}

export function won(cause: Cause, item: ItemState, winner: HighestBid): Output {
  return output(cause, "notifications", eventTypes.bidderWon, item.itemId, {
    itemId: item.itemId,
    bidderId: winner.bidderId,
    bidId: winner.bidId,
    amount: winner.amount,
  });
}

/** The `lost` of one bidder, made from that bidder's last accepted bid when the slice is sent. */
export function lost(fanOut: LosersOutput, entry: Entry, index: number): Output {
  const { itemId, outcome, price, time, traceparent, tracestate } = fanOut;
  const { bidderId, bidId, amount } = entry;
  const data = { itemId, bidderId, bidId, amount, outcome, ...(price === null ? {} : { price }) };
  const id = `${fanOut.idPrefix}/${index}`;
  return {
    topic: "notifications",
    type: eventTypes.bidderLost,
    id,
    cause: fanOut.cause,
    key: itemId,
    time,
    data,
    traceparent,
    tracestate,
  };
}

export function losers(cause: Cause, item: ItemState, count: number): LosersOutput {
  const sold = item.phase === "sold" ? item.highest : null;
  const { streamTime: time, traceparent, tracestate } = cause;
  const { id: idPrefix, cause: place } = nextPlace(cause);
  return {
    topic: "notifications",
    idPrefix,
    cause: place,
    itemId: item.itemId,
    winner: sold?.bidderId ?? null,
    outcome: item.phase as LosersOutput["outcome"],
    price: sold?.amount ?? null,
    time,
    lastEntry: item.lastEntry,
    count,
    traceparent,
    tracestate,
  };
}

export function completed(cause: Cause, item: ItemState, terms: ItemTerms): Output {
  const sold = item.phase === "sold" ? item.highest : null;
  return output(cause, "completed", eventTypes.itemCompleted, item.itemId, {
    itemId: item.itemId,
    sellerId: item.sellerId,
    title: terms.title,
    category: item.category,
    ...(terms.attributes === undefined ? {} : { attributes: terms.attributes }),
    currency: item.currency,
    outcome: item.phase,
    ...(sold === null ? {} : { price: sold.amount, winner: winnerOf(cause, sold) }),
    startingPrice: item.startingPrice,
    ...(item.reserve === null ? {} : { reserve: item.reserve }),
    bids: item.bids,
    bidders: item.bidders,
    startsAt: toIso(item.startsAt ?? item.listedAt),
    endsAt: toIso(item.endsAt),
    closedAt: toIso(item.closedAt ?? cause.streamTime),
  });
}

function winnerOf(cause: Cause, highest: StandingBid): Record<string, unknown> {
  const { bidderId, bidId, offset } = highest;
  return { bidderId, bidId, partition: cause.partition, offset };
}

/**
 * The event of a stretch that the log deleted before it was read.
 * @param cause of the record that tells of it; null where reading the journal itself did
 */
export function gapEvent(
  gap: LogGap,
  { group, partition }: { readonly group: string; readonly partition: number },
  time: number,
  cause: OutputCause | null,
): Output {
  const { topic, from, to } = gap;
  return {
    topic: "deadLetters",
    type: eventTypes.logGap,
    id: `${topic}/${partition}/${from}-${to}/gap`,
    cause,
    key: "",
    time,
    data: gapData({ group, partition }, gap),
    traceparent: undefined,
    tracestate: undefined,
  };
}

/** What could not be read, with its coordinates and the record itself, cut where it is too long. */
export function deadLetter(
  cause: Cause,
  { group, itemsTopic }: { readonly group: string; readonly itemsTopic: string },
  unreadable: UnreadableRecord,
): Output {
  const { record, why, itemsOffset } = unreadable;
  const data = deadLetterData({
    group,
    // An item that cannot be read is where it was listed, not where its opening is.
    topic: itemsOffset === undefined ? cause.topic : itemsTopic,
    partition: cause.partition,
    offset: itemsOffset ?? cause.offset,
    attempts: 1,
    error: why,
    record,
  });
  return output(cause, "deadLetters", eventTypes.deadLetter, data.record.key, { ...data });
}

export function toIso(time: number): string {
  return new Date(time).toISOString();
}

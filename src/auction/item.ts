import type { EventIdentity } from "./decode.ts";
import type { HighestBid, ItemTerms, Opening } from "./events.ts";
import type { ItemState } from "./state.ts";

/** Which event listed an item, and for whom. */
export function identityOf({ listing, edge }: Opening): EventIdentity {
  return { subject: edge.subject ?? "", ...listing };
}

/** The state of an item that opens now. `listedAt` is the listing's own timestamp. */
export function itemFrom(opening: Opening, listedAt: number, streamTime: number): ItemState {
  const startsAt = opening.startsAt === undefined ? null : Date.parse(opening.startsAt);
  const endsAt = Date.parse(opening.endsAt);
  return {
    itemId: opening.itemId,
    sellerId: opening.sellerId,
    category: opening.category,
    currency: opening.currency,
    startingPrice: opening.startingPrice,
    increment: opening.increment ?? 1,
    reserve: opening.reserve ?? null,
    startsAt,
    endsAt,
    closesAt: endsAt + opening.graceMs,
    listedAt,
    listing: identityOf(opening),
    phase: startsAt !== null && startsAt > streamTime ? "scheduled" : "open",
    highest: null,
    bids: 0,
    rejected: 0,
    bidders: 0,
    firstEntry: 0,
    lastEntry: 0,
    closedAt: null,
    departsAt: null,
  };
}

/** The terms as they were listed, without what the opening adds. */
export function termsOf(opening: Opening): ItemTerms {
  const {
    edge: _edge,
    itemsOffset: _offset,
    listing: _listing,
    rules: _rules,
    graceMs: _grace,
    ...rest
  } = opening;
  const { earlyBidWaitMs: _wait, retentionMs: _retention, itemsGap: _gap, ...terms } = rest;
  return terms;
}

/** The highest bid without its coordinates. */
export function publicHighest({ amount, bidderId, bidId }: HighestBid): HighestBid {
  return { amount, bidderId, bidId };
}

import type { PublishedAuction } from "../../demo/auctions.ts";

export interface AcceptedBid {
  readonly auction: string;
  readonly category: string;
  readonly bidder: string;
  readonly amount: number;
}

/** The published bids that Gavel takes: at least the opening price, and then above the highest. */
export function acceptedBids(published: readonly PublishedAuction[]): AcceptedBid[] {
  return published.flatMap(({ id: auction, category, openingPrice, bids }) => {
    let least = openingPrice;
    return bids
      .toSorted((one, other) => one.at - other.at || one.line - other.line)
      .filter(({ amount }) => {
        if (amount < least) return false;
        least = amount + 1;
        return true;
      })
      .map(({ bidder, amount }) => ({ auction, category, bidder, amount }));
  });
}

/** From so many auctions on a bidder counts as one that comes back. */
const repeatedFrom = 3;
/** Bidders that are named. */
const mostNamed = 20;

type Counted = readonly [bidderId: string, auctions: number];

/** As it is stored. */
export interface StoredBidders {
  readonly distinct: number;
  readonly onThreeOrMore: number;
  /** Auctions with one of their bidders, each such pair once. */
  readonly pairs: number;
  readonly most: readonly Counted[];
  /** The bidder whose auctions are being counted. */
  readonly current: Counted | null;
}

export interface BidderSummary {
  readonly distinct: number;
  readonly onThreeOrMore: number;
  readonly pairs: number;
  /** Of those, the bidders with the most auctions, at most 20. */
  readonly most: readonly { readonly bidderId: string; readonly auctions: number }[];
}

/** Counts each bidder's auctions. They come sorted by bidder, so that there is one to count at a time. */
export class BidderCounts {
  private state: StoredBidders;

  constructor(stored: StoredBidders = { distinct: 0, onThreeOrMore: 0, pairs: 0, most: [], current: null }) {
    this.state = stored;
  }

  /** One auction of a bidder's, none of whose others comes behind another bidder. */
  add(bidderId: string): void {
    const { current } = this.state;
    if (current?.[0] !== bidderId) this.close();
    const count = current?.[0] === bidderId ? current[1] + 1 : 1;
    this.state = { ...this.state, pairs: this.state.pairs + 1, current: [bidderId, count] };
  }

  private close(): void {
    const { current, distinct, onThreeOrMore, most } = this.state;
    if (current === null) return;
    const isRepeated = current[1] >= repeatedFrom;
    this.state = {
      ...this.state,
      distinct: distinct + 1,
      onThreeOrMore: onThreeOrMore + (isRepeated ? 1 : 0),
      most: isRepeated ? withOne(most, current) : most,
      current: null,
    };
  }

  toStored(): StoredBidders {
    return this.state;
  }

  /** All have been added. */
  summary(): BidderSummary {
    this.close();
    const { distinct, onThreeOrMore, pairs, most } = this.state;
    return {
      distinct,
      onThreeOrMore,
      pairs,
      most: most.map(([bidderId, auctions]) => ({ bidderId, auctions })),
    };
  }
}

/** The most auctions first; of as many, those that came first stay first. */
function withOne(most: readonly Counted[], one: Counted): readonly Counted[] {
  const place = most.findIndex(([, auctions]) => auctions < one[1]);
  return most.toSpliced(place < 0 ? most.length : place, 0, one).slice(0, mostNamed);
}

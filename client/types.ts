import type { BidderBidStatus, BidderBidView, BidView, ItemView } from "../durable-objects/rpc.ts";
import type {
  AttributeValue,
  BidData,
  BidReason,
  HighestBid,
  ItemStatus,
  ItemTerms,
  Outcome,
  RejectionReason,
} from "../src/auction/events.ts";

// What goes to the gateway and comes back, as docs/api.md has it. Types alone: nothing of the
// gateway's code is in the client.

export type { AttributeValue, BidReason, HighestBid, ItemStatus, Outcome, RejectionReason };

/** An item as it is listed. Money is in minor units, times are RFC 3339. */
export type Item = ItemTerms;

/** A bid as it is placed; `bidId` is the event's id where it is absent. */
export type Bid = BidData;

/** One item with its state. `item.reserve` only where the credential may see it. */
export type ItemState = ItemView;

/** One bid of an item. */
export type ItemBid = BidView;

/** One bid of a bidder. */
export type BidderBid = BidderBidView;

/** What can be asked for of a bidder's bids. */
export type BidStatus = Exclude<BidderBidStatus, "rejected">;

/** Where the log has an event. `after` of a read takes it. */
export interface Coordinates {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** An event that is in the log. */
export interface Accepted extends Coordinates {
  readonly id: string;
  readonly source: string;
  readonly timestamp: string;
  /** What became of it, where that was waited for and came in time. */
  readonly outcome?: Outcome;
}

export interface FinishedAuction {
  readonly itemId: string;
  readonly sellerId: string;
  readonly title: string;
  readonly category: string;
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  readonly currency: string;
  readonly outcome: "sold" | "unsold" | "withdrawn";
  readonly price?: number;
  readonly winner?: {
    readonly bidderId: string;
    readonly bidId: string;
    readonly partition: number;
    readonly offset: number;
  };
  readonly startingPrice: number;
  readonly reserve?: number;
  readonly bids: number;
  readonly bidders: number;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly closedAt: string;
}

export interface CategoryStats {
  readonly asOf: string | null;
  readonly categories: readonly {
    readonly category: string;
    readonly currency: string;
    readonly scheduled: number;
    readonly open: number;
    readonly sold: number;
    readonly unsold: number;
    readonly withdrawn: number;
    readonly bids: number;
    readonly grossValue: number;
    readonly averagePrice: number | null;
  }[];
}

/** A count that is exact, or says that it is an estimate. */
interface CountedBidders {
  readonly bidders: number;
  readonly biddersEstimated?: boolean;
}

export interface WindowStats {
  readonly seconds: number;
  readonly windows: readonly (CountedBidders & {
    readonly start: string;
    readonly category: string;
    readonly currency: string;
    readonly bids: number;
    readonly highest: { readonly amount: number; readonly itemId: string; readonly bidderId: string } | null;
    readonly hottest: readonly { readonly itemId: string; readonly bids: number }[];
  })[];
}

export interface CellStats {
  readonly cells: readonly (CountedBidders & {
    readonly cell: string;
    readonly country: string;
    readonly bids: number;
  })[];
}

/** Open items. Times are RFC 3339. */
export interface ItemsQuery extends PageSize {
  readonly category?: string;
  readonly seller?: string;
  readonly endsBefore?: string;
  readonly sort?: "ending" | "newest";
}

export interface BidderBidsQuery extends PageSize {
  readonly status?: BidStatus;
}

export interface AuctionsQuery extends PageSize {
  readonly status?: FinishedAuction["outcome"];
  readonly category?: string;
  /** Each must be met. */
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  /** Closed from here on, and before `to`. */
  readonly from?: string;
  readonly to?: string;
}

export interface PageSize {
  /** Entries of a page, 1 to 200; 50 unless said. */
  readonly limit?: number;
  /** The `next` of a page: where to begin. */
  readonly cursor?: string;
}

/**
 * What the records of Gavel's topics carry, as types. Money is an integer in the currency's minor
 * unit; times inside values are RFC 3339 UTC with milliseconds; ids match `idPattern`.
 */
export const idPattern = /^(?!\.{1,2}$)[A-Za-z0-9._:~-]{1,64}$/;

/** Where and by whom an event was accepted. Holds no raw client address (guarantee 9). */
export interface Edge {
  readonly country?: string;
  readonly region?: string;
  readonly city?: string;
  readonly continent?: string;
  readonly timezone?: string;
  readonly asn?: number;
  readonly colo?: string;
  /** H3 index at resolution 5 or coarser. */
  readonly cell?: string;
  /** The edge's clock at acceptance, RFC 3339. Differs from the record's timestamp exactly where a trusted time was set. */
  readonly receivedAt: string;
  /** Id of the credential that wrote the event. */
  readonly credential: string;
  /** The subject that the credential is bound to; absent for a back end that may write any. */
  readonly subject?: string;
}

export type AttributeValue = string | number | boolean;

/** `data` of `gavel.item.listed.v1`. */
export interface ItemTerms {
  readonly itemId: string;
  readonly sellerId: string;
  readonly title: string;
  readonly category: string;
  readonly currency: string;
  readonly startingPrice: number;
  readonly endsAt: string;
  readonly description?: string;
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  readonly reserve?: number;
  readonly increment?: number;
  readonly startsAt?: string;
}

/** `data` of `gavel.bid.placed.v1`. */
export interface BidData {
  readonly itemId: string;
  readonly bidderId: string;
  readonly amount: number;
  readonly currency: string;
  /** Absent: the event's id. */
  readonly bidId?: string;
}

/** `data` of `gavel.item.withdrawn.v1`. */
export interface WithdrawalData {
  readonly itemId: string;
  readonly reason?: string;
}

/** Every value that the edge writes: the event's data and where it came from. */
export type WithEdge<Data> = Data & { readonly edge: Edge };

/**
 * Value of `gavel.item.opened.v1`: the item relayed into the journal, with every setting that
 * later decisions depend on, so that state is a function of the journal alone.
 */
export interface Opening extends WithEdge<ItemTerms> {
  /** Offset of the item's record in `auction.items`; the relay's duplicates are known by it. */
  readonly itemsOffset: number;
  /** The listing event's own id and source, by which its repetition is told from another listing. */
  readonly listing: { readonly source: string; readonly id: string };
  /** Version of the acceptance rules in force. */
  readonly rules: 1;
  readonly graceMs: number;
  readonly earlyBidWaitMs: number;
  readonly retentionMs: number;
  /** Items offsets before this one that the log had no longer when they were to be relayed. */
  readonly itemsGap?: OffsetRange;
}

/** Offsets of one topic partition, from `from` on and before `to`. */
export interface OffsetRange {
  readonly from: number;
  readonly to: number;
}

export type BidReason =
  | "unknown-item"
  | "withdrawn"
  | "not-started"
  | "ended"
  | "currency-mismatch"
  | "own-item"
  | "below-start"
  | "too-low";

export type RejectionReason = BidReason | "already-listed" | "not-seller";

export interface HighestBid {
  readonly amount: number;
  readonly bidderId: string;
  readonly bidId: string;
}

/** What became of one event, as `Prefer: wait` tells it. */
export interface Outcome {
  readonly status: "accepted" | "rejected";
  readonly reason?: RejectionReason;
  /** The event was applied before; this is the first one's outcome. */
  readonly duplicate?: true;
  readonly highest?: HighestBid;
  /** Accepted bids of the item so far. */
  readonly bids?: number;
}

export type ItemStatus = "scheduled" | "open" | "sold" | "unsold" | "withdrawn";

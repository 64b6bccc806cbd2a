import type { BidReason, HighestBid, ItemStatus, ItemTerms, Outcome } from "../src/auction/events.ts";
import type { TopicRole } from "../src/topics.ts";
import type { Sketch } from "../src/auction/sketch.ts";
import type { TrailAnswer } from "./trail/answer.ts";
import type { FollowAnswer, FollowQuery } from "./feed/rpc.ts";

/**
 * What a Partition object answers, by RPC. Every argument and answer is structured-cloneable.
 * Failures that a caller can act on are values; an exception means that the object itself failed.
 */
export interface PartitionRpc {
  /**
   * Hands over acknowledged records of this partition (one topic a call, offsets rising, with the
   * timestamps that the log returned). Resolves once they are applied and durable, or known, or
   * left for a fetch because the buffer is full. With `waitMs`, the outcome of the last record.
   */
  push(batch: PushBatch): Promise<PushResult>;
  /**
   * One item as `GET /v1/items/{itemId}` shows it, without viewer-dependent redaction: the caller
   * removes `reserve` where the viewer may not see it. With `after`, waits until that record has
   * taken effect, at most `waitMs`; `late` when the time is up.
   */
  readItem(query: ItemQuery): Promise<ItemAnswer>;
  readBids(query: BidsQuery): Promise<BidsPage | null>;
  /** Bids of one bidder on all items of the partition, the last judged first. */
  readBidderBids(query: BidderBidsQuery): Promise<BidderBidsPage>;
  /** Open items in sort order, strictly behind `from`. */
  listItems(query: ListQuery): Promise<ListPage>;
  categoryStats(): Promise<CategoryStats>;
  windowStats(query: WindowQuery): Promise<readonly WindowStats[]>;
  cellStats(): Promise<readonly CellStats[]>;
  /** Where the recent records that may be of an event with this id are, and what came of them. */
  trailOf(id: string): Promise<TrailAnswer>;
  /** For feeds: tells of the items' changes from now on, and answers the states that the feed does not have. */
  follow(query: FollowQuery): Promise<FollowAnswer>;
  /** Position and health, for `readyz`, the sweep and the operator. */
  status(): Promise<PartitionStatus>;
  /** Catches up with the log; the sweep calls it where a partition lags. Answers the new status. */
  wake(): Promise<PartitionStatus>;
  /** Digest of the canonical dump of the domain's tables at the current position (guarantee 7). */
  digest(): Promise<{ readonly position: number; readonly digest: string }>;
}

/** What the object itself can do beyond what its core does. */
export interface AuctionObjectRpc extends PartitionRpc {
  /**
   * Wipes the state and begins again at the journal's start; what was sent is not sent again.
   * @param maySkip whether that may lose what the log does not have any more
   */
  rebuild(maySkip: boolean): Promise<RebuildAnswer>;
}

export type RebuildAnswer =
  /** It was wiped, and reads the journal from its start; `from` is the position that it had. */
  | { readonly kind: "done"; readonly from: number }
  /** Nothing was wiped: the log cannot bring all of it back, and why. */
  | { readonly kind: "loses"; readonly why: string }
  /** Another rebuild came first. */
  | { readonly kind: "busy" };

/** Columns, not rows: a batch of strings and numbers clones several times faster than objects. */
export interface PushBatch<Topic extends TopicRole = "items" | "journal"> {
  readonly topic: Topic;
  /** Which topic took the records, where the log told. */
  readonly topicId?: string;
  readonly offsets: readonly number[];
  readonly timestamps: readonly number[];
  readonly keys: readonly string[];
  readonly values: readonly string[];
  /** One record's headers as `encodeHeaders` writes them, an entry a record. */
  readonly headers: readonly string[];
  /** Wait this long for the outcome of the last record; absent: do not wait for an outcome. */
  readonly waitMs?: number;
}

export interface PushResult {
  readonly position: number;
  /** Present when asked for and known in time. */
  readonly outcome?: Outcome;
}

export interface ItemQuery {
  readonly itemId: string;
  readonly after?: { readonly topic: "items" | "journal"; readonly offset: number };
  readonly waitMs: number;
}

export type ItemAnswer =
  | { readonly kind: "item"; readonly item: ItemView }
  | { readonly kind: "unknown" }
  | { readonly kind: "late" };

export interface ItemView {
  readonly itemId: string;
  readonly status: ItemStatus;
  readonly item: ItemTerms;
  readonly highest: HighestBid | null;
  readonly reserveMet: boolean;
  readonly bids: number;
  readonly rejected: number;
  readonly bidders: number;
  readonly closesAt: string;
  readonly outcome?: {
    readonly outcome: "sold" | "unsold" | "withdrawn";
    readonly price?: number;
    readonly winner?: { bidderId: string; bidId: string; partition: number; offset: number };
    readonly closedAt: string;
  };
  readonly partition: number;
  readonly position: number;
  readonly asOf: string;
}

export interface BidsQuery {
  readonly itemId: string;
  readonly limit: number;
  /** Only bids at offsets below this one. */
  readonly before?: number;
}

export interface BidView {
  readonly bidId: string;
  readonly bidderId: string;
  readonly amount: number;
  readonly at: string;
  readonly outcome: "accepted" | "rejected";
  readonly reason?: BidReason;
  readonly partition: number;
  readonly offset: number;
}

export interface BidsPage {
  readonly bids: readonly BidView[];
  /** Pass as `before` for the next page; absent at the end. */
  readonly next?: number;
}

export interface BidderBidsQuery {
  readonly bidderId: string;
  readonly limit: number;
  readonly status?: Exclude<BidderBidStatus, "rejected">;
  /** Number of the judged event to go on from; absent: from the last one. */
  readonly through?: number;
}

export type BidderBidStatus = "winning" | "outbid" | "won" | "lost" | "rejected";

export interface BidderBidView {
  readonly itemId: string;
  readonly bidId: string;
  readonly amount: number;
  /** The item's; absent of a rejected bid, which may have named another. */
  readonly currency?: string;
  readonly at: string;
  readonly status: BidderBidStatus;
  readonly reason?: BidReason;
  readonly partition: number;
  readonly offset: number;
}

export interface BidderBidsPage {
  readonly bids: readonly { readonly number: number; readonly at: number; readonly view: BidderBidView }[];
  /** Where the scan stopped: what is at this number and below was not looked at. Absent at the end. */
  readonly rest?: {
    readonly through: number;
    /** Milliseconds since the epoch, of the event there; null where it is gone. */
    readonly at: number | null;
  };
}

export interface ListQuery {
  readonly sort: "ending" | "newest";
  readonly limit: number;
  readonly category?: string;
  readonly seller?: string;
  /** Milliseconds since the epoch. */
  readonly endsBefore?: number;
  /** Sort key and item id of the last item already seen. */
  readonly from?: { readonly key: number; readonly itemId: string };
}

/** `key`: the closing time for `ending`, the listing's timestamp for `newest`, in milliseconds. */
export interface ListEntry {
  readonly key: number;
  readonly view: ItemView;
}

export interface ListPage {
  readonly entries: readonly ListEntry[];
  /**
   * Where a scan that was cut by its bound stopped; absent when everything was seen. Entries of
   * other partitions behind this place must not be answered yet.
   */
  readonly scannedTo?: { readonly key: number; readonly itemId: string };
}

export interface CategoryStats {
  /** Stream time in milliseconds, 0 before the first record. */
  readonly asOf: number;
  readonly categories: readonly CategoryCounts[];
}

export interface CategoryCounts {
  readonly category: string;
  readonly currency: string;
  readonly scheduled: number;
  readonly open: number;
  readonly sold: number;
  readonly unsold: number;
  readonly withdrawn: number;
  /** Accepted bids. */
  readonly bids: number;
  /** Sum of prices of sold items as a decimal string: sums pass 2^53. */
  readonly grossValue: string;
}

export interface WindowQuery {
  /** A multiple of 10, up to 3600. */
  readonly seconds: number;
  readonly category?: string;
}

/** One tumbling window of one category and currency, mergeable over partitions. */
export interface WindowStats {
  /** Milliseconds since the epoch, aligned to the window's length. */
  readonly start: number;
  readonly category: string;
  readonly currency: string;
  readonly bids: number;
  readonly bidders: Sketch;
  readonly highest: { readonly amount: number; readonly itemId: string; readonly bidderId: string } | null;
  readonly hottest: readonly { readonly itemId: string; readonly bids: number }[];
}

export interface CellStats {
  readonly cell: string;
  readonly country: string;
  readonly bids: number;
  readonly bidders: Sketch;
}

/** How far a topic was read. */
export interface TopicProgress {
  /** The next offset that has not taken effect. */
  readonly position: number;
  /** Null while there is more to be read. */
  readonly endOffset: number | null;
  /** Which topic the position is of, where the log tells. */
  readonly topicId?: string;
}

export interface PartitionStatus {
  readonly partition: number;
  readonly journal: TopicProgress;
  readonly items: TopicProgress;
  /** Stream time in milliseconds, 0 before the first record. */
  readonly streamTime: number;
  /** Outputs not yet acknowledged by the log. */
  readonly outbox: number;
  readonly deadLettered: number;
  /** Offsets of both topics that the log deleted before they were read, and the last stretch of them. */
  readonly lostOffsets: number;
  readonly lastLoss?: { readonly topic: string; readonly from: number; readonly to: number };
  /** Why the partition does not move, in a plain sentence; absent when it does. */
  readonly stalled?: string;
}

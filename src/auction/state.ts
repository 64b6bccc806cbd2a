import type { HighestBid, ItemTerms, OffsetRange, RejectionReason } from "./events.ts";
import type { BidEvent, EventIdentity, WithdrawalEvent } from "./decode.ts";
import type { TopicRole } from "../topics.ts";

/** One item as the reducer holds it. Times are milliseconds since the epoch, money minor units. */
export interface ItemState {
  readonly itemId: string;
  readonly sellerId: string;
  readonly category: string;
  readonly currency: string;
  readonly startingPrice: number;
  readonly increment: number;
  readonly reserve: number | null;
  /** Null: open at once. */
  readonly startsAt: number | null;
  readonly endsAt: number;
  /** `endsAt` plus the grace that was in force when the item opened. */
  readonly closesAt: number;
  /** The listing's own timestamp, and the event that it was. */
  readonly listedAt: number;
  readonly listing: EventIdentity;
  phase: "scheduled" | "open" | "sold" | "unsold" | "withdrawn";
  highest: StandingBid | null;
  /** Accepted bids, rejected bids, and distinct bidders with an accepted one. */
  bids: number;
  rejected: number;
  bidders: number;
  /** Numbers of the oldest and newest judged events of this item, 0 before the first. */
  firstEntry: number;
  lastEntry: number;
  /** Stream time at completion, null before. */
  closedAt: number | null;
  /** First stream time at which only the tombstone is left of it, null before completion. */
  departsAt: number | null;
}

/** The highest accepted bid, with its coordinates: its journal offset and its entry's number. */
export interface StandingBid extends HighestBid {
  readonly offset: number;
  readonly entry: number;
}

/** What stays of an item after its retention: that it was, and how a late event is refused. */
export interface Tombstone {
  readonly itemId: string;
  readonly withdrawn: boolean;
}

/**
 * One judged event. Entries are numbered densely in the order of judgement, and each names the
 * one before it on the same item, so that an item's history is a list without rows of its own.
 */
export interface Entry {
  readonly number: number;
  /** Number of the item's entry before this one, 0 at the first. */
  readonly previous: number;
  readonly kind: "bid" | "withdrawal";
  readonly offset: number;
  readonly timestamp: number;
  readonly itemId: string;
  readonly identity: EventIdentity;
  readonly reason: RejectionReason | null;
  /** The item's accepted bids, and the entry of its highest bid (0 without one), once this was judged. */
  readonly bids: number;
  readonly highestEntry: number;
  /** Of a bid; "" and 0 for a withdrawal. */
  readonly bidderId: string;
  readonly bidId: string;
  readonly amount: number;
  readonly cell: string;
  readonly country: string;
}

/** A bid or withdrawal whose item is not open yet. */
export interface WaitingEvent {
  readonly event: BidEvent | WithdrawalEvent;
  /** The first stream time at which it has waited too long. */
  readonly expiresAt: number;
}

/** The partition's scalars, stored with the position. */
export interface PartitionState {
  /** Next journal offset to apply. */
  position: number;
  /** Highest timestamp seen in the journal, 0 before the first record. */
  streamTime: number;
  /** Highest `auction.items` offset whose opening was applied, -1 before the first. */
  openedItemsOffset: number;
  /** The last record's time was set by a trusted credential: the wall clock stands still. */
  trustedTime: boolean;
  /** In force since the latest opening. */
  earlyBidWaitMs: number;
  retentionMs: number;
  /** Entries judged so far; the next has this number plus one. */
  entries: number;
  deadLettered: number;
  /** Journal offsets that hold no record for a reader (compaction, transactions' markers). */
  knownGaps: number;
  /** Offsets, of both topics, that the log had no longer when they were to be read. */
  lostOffsets: number;
  /** The last stretch of them, null where none was. */
  lastLoss: LogGap | null;
  /** Highest sequence given out, by output topic. */
  sequences: Record<OutputTopic, number>;
}

/** A stretch of a topic's partition that was deleted before it was read. */
export interface LogGap extends OffsetRange {
  /** As named in the log. */
  readonly topic: string;
}

export type OutputTopic = Extract<TopicRole, "completed" | "notifications" | "deadLetters">;

export const outputTopics: readonly OutputTopic[] = ["completed", "notifications", "deadLetters"];

/** Where in the journal something was decided: its record's offset, and how many outputs of it came up to then. */
export interface OutputCause {
  readonly offset: number;
  readonly count: number;
}

/** A fact that the reducer decided. Sequence and record are made of it by the outbox. */
export interface Output {
  readonly topic: OutputTopic;
  readonly type: string;
  /** Unique over all outputs: the input's coordinates and a counter. */
  readonly id: string;
  /** Null where no record of the journal decided it. */
  readonly cause: OutputCause | null;
  /** An item's id, "" where it is about none. */
  readonly key: string;
  /** Stream time at the decision, milliseconds since the epoch. */
  readonly time: number;
  readonly data: Readonly<Record<string, unknown>>;
  readonly traceparent: string | undefined;
  readonly tracestate: string | undefined;
}

/**
 * One `lost` for every distinct bidder of a completed item but the winner: `count` outputs that
 * are made when they are sent, in slices, so that nothing grows with the number of bidders.
 */
export interface LosersOutput {
  readonly topic: "notifications";
  readonly idPrefix: string;
  readonly cause: OutputCause;
  readonly itemId: string;
  readonly winner: string | null;
  readonly outcome: "sold" | "unsold" | "withdrawn";
  readonly price: number | null;
  readonly time: number;
  /** Where the walk over the item's entries starts. */
  readonly lastEntry: number;
  readonly count: number;
  readonly traceparent: string | undefined;
  readonly tracestate: string | undefined;
}

/** Everything that the reducer reads and writes. Synchronous: one record is one step. */
export interface AuctionStore {
  readonly state: PartitionState;
  item(itemId: string): ItemState | undefined;
  tombstone(itemId: string): Tombstone | undefined;
  /** Full terms of an item that exists, as listed. */
  terms(itemId: string): ItemTerms;
  createItem(item: ItemState, terms: ItemTerms): void;
  /** Marks an item changed; every mutation of an `ItemState` is followed by it. */
  changed(item: ItemState): void;
  /** Whether an accepted bid of this bidder stands on the item. */
  hasBidder(item: ItemState, bidderId: string): boolean;
  /** The entry of the same event on the same item, if it was judged before. */
  findEntry(item: ItemState, identity: EventIdentity): Entry | undefined;
  append(entry: Entry): void;
  /** A judged event by its number, while its item is kept. */
  entry(number: number): Entry | undefined;
  /** The item whose start or closing is due first at `streamTime`, in order of due time, then id. */
  nextDue(streamTime: number): DueItem | undefined;
  addWaiting(waiting: WaitingEvent): void;
  /** Takes the waiting events of an item, in offset order, each as the caller comes to it; it takes all. */
  takeWaiting(itemId: string): Iterable<WaitingEvent>;
  /** The waiting event that expires first, at or before `streamTime`; stays until taken. */
  nextExpired(streamTime: number): WaitingEvent | undefined;
  removeWaiting(waiting: WaitingEvent): void;
  readonly waitingCount: number;
  emit(output: Output): void;
  emitLosers(output: LosersOutput): void;
  readonly aggregates: AggregateStore;
}

export interface DueItem {
  readonly item: ItemState;
  readonly due: number;
}

export type ItemPhase = ItemState["phase"];

/** Counters that follow the reducer's decisions; see `aggregates.ts`. */
export interface AggregateStore {
  /** An item of this category entered a phase, from another one or (null) from nothing. */
  moved(item: ItemState, from: ItemPhase | null, price: number | null): void;
  /** A bid was accepted. */
  accepted(item: ItemState, bid: BidEvent, streamTime: number): void;
}

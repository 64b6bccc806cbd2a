import {
  decodeJournalRecord,
  type BidEvent,
  type EventIdentity,
  type JournalEvent,
  type OpeningEvent,
  type UnreadableRecord,
  type WithdrawalEvent,
} from "./decode.ts";
import type { BidReason, HighestBid, ItemTerms, Opening, Outcome, RejectionReason } from "./events.ts";
import { completed, deadLetter, losers, outbid, rejected, won, type Cause } from "./outputs.ts";
import {
  departureOf,
  isSameEvent,
  judgeBid,
  judgeDeparted,
  judgeWithdrawal,
  maximumWaiting,
  reserveMet,
  tellsRepetitions,
} from "./rules.ts";
import type { AuctionStore, Entry, ItemState, StandingBid } from "./state.ts";
import type { LogRecord } from "../kafka/port.ts";

/** Where outcomes go: whoever waits for one finds it by the coordinates of the event's record. */
export type OutcomeListener = (topic: "items" | "journal", offset: number, outcome: Outcome) => void;

export interface ReducerContext {
  readonly group: string;
  /** Journal topic as named in the log. */
  readonly topic: string;
  readonly partition: number;
  readonly onOutcome: OutcomeListener;
}

/**
 * Applies the journal, one record a step, to the store. A function of the records alone: no
 * clock, no setting, no other topic. Each record first moves stream time, then ends what is due
 * by it (in order of due time), and only then has its own effect, so that a decision never
 * depends on which records happen to share a batch.
 */
export class Reducer {
  private readonly store: AuctionStore;
  private readonly context: ReducerContext;

  constructor(store: AuctionStore, context: ReducerContext) {
    this.store = store;
    this.context = context;
  }

  /** Applies one record; the caller passes them in offset order, each once. */
  apply(record: LogRecord): void {
    const { state } = this.store;
    const event = decodeJournalRecord(record);
    state.streamTime = Math.max(state.streamTime, event.timestamp);
    const cause = this.causeOf(event);
    this.endWhatIsDue(cause);
    this.take(event, cause);
    if (event.kind !== "unreadable") state.trustedTime = event.trustedTime;
    state.knownGaps += record.offset - state.position;
    state.position = record.offset + 1;
  }

  private causeOf(event: JournalEvent): Cause {
    const { topic, partition } = this.context;
    const { streamTime } = this.store.state;
    const trace =
      event.kind === "unreadable"
        ? { traceparent: undefined, tracestate: undefined }
        : { traceparent: event.traceparent, tracestate: event.tracestate };
    return { topic, partition, offset: event.offset, streamTime, ...trace, count: 0 };
  }

  private take(event: JournalEvent, cause: Cause): void {
    switch (event.kind) {
      case "bid":
      case "withdrawal":
        return this.takeOrWait(event, cause);
      case "opening":
        return this.open(event, cause);
      case "tick":
        return;
      case "unreadable":
        return this.bury(event, cause);
    }
  }

  /** What cannot be read ends as a dead letter, once: an item's relayed twice is known by its items offset. */
  private bury(event: UnreadableRecord, cause: Cause): void {
    const { state } = this.store;
    if (event.itemsOffset !== undefined) {
      if (event.itemsOffset <= state.openedItemsOffset) return;
      state.openedItemsOffset = event.itemsOffset;
    }
    state.deadLettered += 1;
    this.store.emit(deadLetter(cause, this.context.group, event));
  }

  /** Ends what is due, the earliest first: starts and closings of items, and waits that lasted too long. */
  private endWhatIsDue(cause: Cause): void {
    const { store } = this;
    for (;;) {
      const due = store.nextDue(cause.streamTime);
      const expired = store.nextExpired(cause.streamTime);
      if (
        expired !== undefined &&
        (due === undefined ||
          isBefore(expired.expiresAt, expired.event.data.itemId, due.due, due.item.itemId))
      ) {
        store.removeWaiting(expired);
        this.refuseUnknown(expired.event, cause);
      } else if (due !== undefined) {
        if (due.item.phase === "scheduled") this.start(due.item);
        else this.complete(due.item, reserveMet(due.item) ? "sold" : "unsold", cause);
      } else {
        return;
      }
    }
  }

  private start(item: ItemState): void {
    item.phase = "open";
    this.store.changed(item);
    this.store.aggregates.moved(item, "scheduled", null);
  }

  private open(event: OpeningEvent, cause: Cause): void {
    const { store } = this;
    const { state } = store;
    const opening = event.data;
    // The relay may append an opening twice when it cannot know whether the first append took effect.
    if (opening.itemsOffset <= state.openedItemsOffset) return;
    state.openedItemsOffset = opening.itemsOffset;
    state.earlyBidWaitMs = opening.earlyBidWaitMs;
    state.retentionMs = opening.retentionMs;
    const outcome = this.outcomeOfRepeatedListing(opening, cause);
    if (outcome !== undefined) return this.context.onOutcome("items", opening.itemsOffset, outcome);
    const item = itemFrom(opening, event.timestamp, state.streamTime);
    store.createItem(item, termsOf(opening));
    store.aggregates.moved(item, null, null);
    this.context.onOutcome("items", opening.itemsOffset, { status: "accepted", bids: 0 });
    for (const waiting of store.takeWaiting(item.itemId)) this.judge(item, waiting.event, cause);
    this.endWhatIsDue(cause);
  }

  /** An item is listed once: undefined where this is the first time. */
  private outcomeOfRepeatedListing(opening: Opening, cause: Cause): Outcome | undefined {
    const item = this.store.item(opening.itemId);
    if (item === undefined) {
      const tombstone = this.store.tombstone(opening.itemId);
      return tombstone === undefined ? undefined : { status: "rejected", reason: "already-listed" };
    }
    const isSame = isSameEvent(item.listing, identityOf(opening)) && tellsRepetitions(item, cause.streamTime);
    return isSame
      ? { status: "accepted", bids: 0, duplicate: true }
      : { status: "rejected", reason: "already-listed" };
  }

  private takeOrWait(event: BidEvent | WithdrawalEvent, cause: Cause): void {
    const { store } = this;
    const { itemId } = event.data;
    const item = store.item(itemId);
    if (item !== undefined) return this.judge(item, event, cause);
    const tombstone = store.tombstone(itemId);
    if (tombstone !== undefined) return this.refuseWithoutItem(event, judgeDeparted(tombstone), cause);
    const expiresAt = event.timestamp + store.state.earlyBidWaitMs + 1;
    if (store.waitingCount >= maximumWaiting || expiresAt <= cause.streamTime)
      return this.refuseUnknown(event, cause);
    store.addWaiting({ event, expiresAt });
  }

  private judge(item: ItemState, event: BidEvent | WithdrawalEvent, cause: Cause): void {
    const { store } = this;
    if (tellsRepetitions(item, cause.streamTime)) {
      const first = store.findEntry(item, event.identity);
      if (first !== undefined)
        return this.tell(event.offset, { ...this.outcomeOfEntry(first), duplicate: true });
    }
    const reason = event.kind === "bid" ? judgeBid(item, event) : judgeWithdrawal(item, event);
    const isNewBidder =
      event.kind === "bid" && reason === null && !store.hasBidder(item, event.data.bidderId);
    const displaced = item.highest;
    this.append(item, event, reason);
    store.changed(item);
    this.tell(event.offset, outcomeOf(reason, item.highest, item.bids));
    if (event.kind === "withdrawal") {
      if (reason === null) this.complete(item, "withdrawn", cause);
    } else if (reason !== null) {
      item.rejected += 1;
      store.emit(rejected(cause, event, reason));
    } else {
      if (isNewBidder) item.bidders += 1;
      store.aggregates.accepted(item, event, cause.streamTime);
      if (displaced !== null && displaced.bidderId !== event.data.bidderId) {
        store.emit(outbid(cause, item, displaced, item.highest as StandingBid));
      }
    }
  }

  /** Numbers and stores a judged event; an accepted bid stands as the item's highest from here on. */
  private append(item: ItemState, event: BidEvent | WithdrawalEvent, reason: RejectionReason | null): void {
    const { state } = this.store;
    state.entries += 1;
    const number = state.entries;
    const { kind, offset, timestamp, identity } = event;
    const bid = event.kind === "bid" ? event.data : null;
    const [bidderId, bidId, amount] =
      bid === null ? ["", "", 0] : [bid.bidderId, bid.bidId ?? identity.id, bid.amount];
    if (bid !== null && reason === null) {
      item.highest = { amount, bidderId, bidId, offset, entry: number };
      item.bids += 1;
    }
    const { cell = "", country = "" } = event.data.edge;
    const { itemId, bids, lastEntry: previous } = item;
    const highestEntry = item.highest?.entry ?? 0;
    const judged = {
      number,
      previous,
      kind,
      offset,
      timestamp,
      itemId,
      identity,
      reason,
      bids,
      highestEntry,
    };
    const entry: Entry = { ...judged, bidderId, bidId, amount, cell, country };
    if (item.firstEntry === 0) item.firstEntry = number;
    item.lastEntry = number;
    this.store.append(entry);
  }

  /** What the sender was told when the event was judged. */
  private outcomeOfEntry({ reason, bids, highestEntry }: Entry): Outcome {
    const standing = highestEntry === 0 ? undefined : this.store.entry(highestEntry);
    return outcomeOf(reason, standing ?? null, bids);
  }

  /**
   * Completes an item once: the phase is left here and never entered again. The fact comes
   * first, then who won, then one `lost` for each other bidder.
   */
  private complete(item: ItemState, outcome: "sold" | "unsold" | "withdrawn", cause: Cause): void {
    const { store } = this;
    const from = item.phase;
    item.phase = outcome;
    item.closedAt = cause.streamTime;
    item.departsAt = departureOf(cause.streamTime, store.state.retentionMs);
    store.changed(item);
    const winner = outcome === "sold" ? item.highest : null;
    store.aggregates.moved(item, from, winner?.amount ?? null);
    store.emit(completed(cause, item, store.terms(item.itemId)));
    if (winner !== null) store.emit(won(cause, item, winner));
    const others = item.bidders - (winner === null ? 0 : 1);
    if (others > 0) store.emitLosers(losers(cause, item, others));
  }

  private refuseUnknown(event: BidEvent | WithdrawalEvent, cause: Cause): void {
    this.refuseWithoutItem(event, "unknown-item", cause);
  }

  private refuseWithoutItem(event: BidEvent | WithdrawalEvent, reason: BidReason, cause: Cause): void {
    if (event.kind === "bid") this.store.emit(rejected(cause, event, reason));
    this.tell(event.offset, { status: "rejected", reason });
  }

  private tell(offset: number, outcome: Outcome): void {
    this.context.onOutcome("journal", offset, outcome);
  }
}

function isBefore(due: number, itemId: string, otherDue: number, otherItemId: string): boolean {
  return due === otherDue ? itemId < otherItemId : due < otherDue;
}

function outcomeOf(reason: RejectionReason | null, standing: HighestBid | null, bids: number): Outcome {
  const highest = standing === null ? {} : { highest: publicHighest(standing) };
  return { ...(reason === null ? { status: "accepted" } : { status: "rejected", reason }), ...highest, bids };
}

function identityOf({ listing, edge }: Opening): EventIdentity {
  return { subject: edge.subject ?? "", ...listing };
}

/** The highest bid without its coordinates. */
export function publicHighest({ amount, bidderId, bidId }: HighestBid): HighestBid {
  return { amount, bidderId, bidId };
}

function itemFrom(opening: Opening, listedAt: number, streamTime: number): ItemState {
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

function termsOf(opening: Opening): ItemTerms {
  const {
    edge: _edge,
    itemsOffset: _offset,
    listing: _listing,
    rules: _rules,
    graceMs: _grace,
    ...rest
  } = opening;
  const { earlyBidWaitMs: _wait, retentionMs: _retention, ...terms } = rest;
  return terms;
}

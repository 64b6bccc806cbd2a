import {
  decodeJournalRecord,
  type BidEvent,
  type JournalEvent,
  type OpeningEvent,
  type UnreadableRecord,
  type WithdrawalEvent,
} from "./decode.ts";
import type { BidReason, OffsetRange, Opening, Outcome } from "./events.ts";
import { identityOf, itemFrom, termsOf } from "./item.ts";
import { Judge } from "./judge.ts";
import { deadLetter, gapEvent, rejected, type Cause } from "./outputs.ts";
import { isSameEvent, judgeDeparted, maximumWaiting, reserveMet, tellsRepetitions } from "./rules.ts";
import type { AuctionStore, ItemState, LogGap, PartitionState } from "./state.ts";
import type { LogRecord } from "../kafka/port.ts";

/** Where outcomes go: whoever waits for one finds it by the coordinates of the event's record. */
export type OutcomeListener = (
  topic: "items" | "journal",
  offset: number,
  outcome: Outcome,
  /** The event's own. */
  id: string,
) => void;

export interface ReducerContext {
  readonly group: string;
  /** Journal topic as named in the log. */
  readonly topic: string;
  readonly itemsTopic: string;
  readonly partition: number;
  readonly onOutcome: OutcomeListener;
  /** A record comes to be applied; what is told next is of it, or decided by it. */
  readonly onApplied?: (event: JournalEvent) => void;
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
  private readonly judge: Judge;

  constructor(store: AuctionStore, context: ReducerContext) {
    this.store = store;
    this.context = context;
    this.judge = new Judge(store, (event, outcome) => this.tell(event, outcome));
  }

  /** Applies one record; the caller passes them in offset order, each once. */
  apply(record: LogRecord): void {
    const { state } = this.store;
    const event = decodeJournalRecord(record);
    this.context.onApplied?.(event);
    // A record that cannot be read is no clock either: its timestamp may be anything.
    if (event.kind !== "unreadable") state.streamTime = Math.max(state.streamTime, event.timestamp);
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
      this.tellOfGap(event.itemsGap, cause);
    }
    state.deadLettered += 1;
    this.store.emit(deadLetter(cause, this.context, event));
  }

  /** Items that the log deleted before they were relayed: the opening behind them says so, once. */
  private tellOfGap(range: OffsetRange | undefined, cause: Cause): void {
    if (range === undefined) return;
    const { state } = this.store;
    const gap = { topic: this.context.itemsTopic, from: range.from, to: range.to };
    const { offset, count } = cause;
    noteLoss(state, gap);
    this.store.emit(gapEvent(gap, this.context, state.streamTime, { offset, count }));
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
        this.refuse(expired.event, "unknown-item", cause);
      } else if (due !== undefined) {
        if (due.item.phase === "scheduled") this.start(due.item);
        else this.judge.complete(due.item, reserveMet(due.item) ? "sold" : "unsold", cause);
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
    this.tellOfGap(opening.itemsGap, cause);
    const outcome = this.outcomeOfRepeatedListing(opening, cause);
    const { id } = opening.listing;
    if (outcome !== undefined) return this.context.onOutcome("items", opening.itemsOffset, outcome, id);
    const item = itemFrom(opening, event.timestamp, state.streamTime);
    store.createItem(item, termsOf(opening));
    store.aggregates.moved(item, null, null);
    this.context.onOutcome("items", opening.itemsOffset, { status: "accepted", bids: 0 }, id);
    for (const waiting of store.takeWaiting(item.itemId)) this.judge.judge(item, waiting.event, cause);
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
    if (item !== undefined) return this.judge.judge(item, event, cause);
    const tombstone = store.tombstone(itemId);
    if (tombstone !== undefined) return this.refuse(event, judgeDeparted(tombstone), cause);
    const expiresAt = event.timestamp + store.state.earlyBidWaitMs + 1;
    if (store.waitingCount >= maximumWaiting || expiresAt <= cause.streamTime)
      return this.refuse(event, "unknown-item", cause);
    store.addWaiting({ event, expiresAt });
  }

  /** Refuses an event whose item is not there, or not any more. */
  private refuse(event: BidEvent | WithdrawalEvent, reason: BidReason, cause: Cause): void {
    if (event.kind === "bid") this.store.emit(rejected(cause, event, reason));
    this.tell(event, { status: "rejected", reason });
  }

  private tell({ offset, identity }: BidEvent | WithdrawalEvent, outcome: Outcome): void {
    this.context.onOutcome("journal", offset, outcome, identity.id);
  }
}

/** Counts a stretch that the log deleted before it was read. */
export function noteLoss(state: PartitionState, gap: LogGap): void {
  state.lostOffsets += gap.to - gap.from;
  state.lastLoss = gap;
}

function isBefore(due: number, itemId: string, otherDue: number, otherItemId: string): boolean {
  return due === otherDue ? itemId < otherItemId : due < otherDue;
}

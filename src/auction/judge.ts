import type { BidEvent, WithdrawalEvent } from "./decode.ts";
import type { HighestBid, Outcome, RejectionReason } from "./events.ts";
import { publicHighest } from "./item.ts";
import { completed, losers, outbid, rejected, won, type Cause } from "./outputs.ts";
import { departureOf, judgeBid, judgeWithdrawal, tellsRepetitions } from "./rules.ts";
import type { AuctionStore, Entry, ItemState, StandingBid } from "./state.ts";

/** Where the outcome of an event goes. */
export type TellOutcome = (event: BidEvent | WithdrawalEvent, outcome: Outcome) => void;

/** Judges events on an item that exists, and completes it: the join of an item and its bids. */
export class Judge {
  private readonly store: AuctionStore;
  private readonly tell: TellOutcome;

  constructor(store: AuctionStore, tell: TellOutcome) {
    this.store = store;
    this.tell = tell;
  }

  /** Decides what becomes of a bid or withdrawal; the same event again is only told what it was told. */
  judge(item: ItemState, event: BidEvent | WithdrawalEvent, cause: Cause): void {
    const { store } = this;
    if (tellsRepetitions(item, cause.streamTime)) {
      const first = store.findEntry(item, event.identity);
      if (first !== undefined) return this.tell(event, { ...this.outcomeOfEntry(first), duplicate: true });
    }
    const reason = event.kind === "bid" ? judgeBid(item, event) : judgeWithdrawal(item, event);
    const isNewBidder =
      event.kind === "bid" && reason === null && !store.hasBidder(item, event.data.bidderId);
    const displaced = item.highest;
    this.append(item, event, reason);
    store.changed(item);
    this.tell(event, outcomeOf(reason, item.highest, item.bids));
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
  complete(item: ItemState, outcome: "sold" | "unsold" | "withdrawn", cause: Cause): void {
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
}

function outcomeOf(reason: RejectionReason | null, standing: HighestBid | null, bids: number): Outcome {
  const highest = standing === null ? {} : { highest: publicHighest(standing) };
  return { ...(reason === null ? { status: "accepted" } : { status: "rejected", reason }), ...highest, bids };
}

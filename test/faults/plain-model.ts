/**
 * The auction partition in the plainest words: one record after the other, arrays and maps, nothing
 * shared with the product but the types of what the topics carry. It is written from the documents
 * (design and interface), so that a misreading in the product shows as a difference.
 */
import { eventTypes } from "../../src/topics.ts";
import type { BidData, BidReason, OffsetRange, Opening, Outcome } from "../../src/auction/events.ts";
import type { LogRecord } from "../../src/kafka/port.ts";
import { decode } from "./plain-decoding.ts";
import type { Undecodable } from "./plain-decoding.ts";
import {
  accepted,
  completion,
  concerning,
  highestOf,
  identityOf,
  reasonAgainst,
  reasonAgainstWithdrawal,
  standing,
} from "./plain-item.ts";
import type { BidRecord, PlainItem, WithdrawalRecord } from "./plain-item.ts";

/** Bids and withdrawals that may wait for their items at one time. */
const waitingLimit = 100_000;
/** How long beyond an item's end its events' ids are remembered, in milliseconds of stream time. */
const identityWindow = 24 * 60 * 60 * 1000;

export type OutputTopic = "completed" | "notifications" | "deadLetters";

export interface PlainOutput {
  readonly topic: OutputTopic;
  readonly sequence: number;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** Of the journal's record that decided it. */
  readonly offset: number;
}

interface Waiting {
  readonly event: BidRecord | WithdrawalRecord;
  /** The first stream time at which the event has waited too long. */
  readonly expiresAt: number;
}

export class PlainModel {
  streamTime = 0;
  /** Items offsets that openings told of as deleted unread. */
  lostOffsets = 0;
  readonly items = new Map<string, PlainItem>();
  readonly outputs: PlainOutput[] = [];
  /** By offset in the journal; a waiting event has none yet. */
  readonly outcomes = new Map<number, Outcome>();
  #waiting: Waiting[] = [];
  #lastItemsOffset = -1;
  #offset = -1;
  #judged = 0;
  #earlyBidWaitMs = 3_600_000;
  #retentionMs = 604_800_000;

  static of(journal: readonly LogRecord[]): PlainModel {
    const model = new PlainModel();
    for (const record of journal) model.apply(record);
    return model;
  }

  apply(record: LogRecord): void {
    this.#offset = record.offset;
    const event = decode(record);
    if (event.kind !== "undecodable") this.streamTime = Math.max(this.streamTime, record.timestamp);
    this.#doWhatIsDue();
    switch (event.kind) {
      case "bid":
      case "withdrawal":
        return this.#judgeOrWait(event);
      case "opening":
        return this.#open(event.opening, event.record);
      case "tick":
        return;
      case "undecodable":
        return this.#bury(record, event);
    }
  }

  #bury(record: LogRecord, { itemsOffset, itemsGap }: Undecodable): void {
    const { topic, partition, offset } = record;
    if (itemsOffset === undefined) return this.#deadLetter({ topic, partition, offset });
    if (itemsOffset <= this.#lastItemsOffset) return;
    this.#lastItemsOffset = itemsOffset;
    this.#tellOfGap(itemsGap, record);
    this.#deadLetter({ topic: itemsTopicOf(record), partition, offset: itemsOffset });
  }

  #deadLetter(coordinates: object): void {
    this.#output("deadLetters", eventTypes.deadLetter, { group: "auction", ...coordinates });
  }

  /** Items that were deleted before they were relayed, as the opening behind them says. */
  #tellOfGap(gap: OffsetRange | undefined, record: LogRecord): void {
    if (gap === undefined) return;
    this.lostOffsets += gap.to - gap.from;
    const { partition } = record;
    const data = { group: "auction", topic: itemsTopicOf(record), partition, ...gap, reason: "retention" };
    this.#output("deadLetters", eventTypes.logGap, data);
  }

  /** Whether an item's retention is over, so that nothing of it but its tombstone can be seen. */
  isForgotten(item: PlainItem): boolean {
    return this.streamTime > item.keptUntil;
  }

  #doWhatIsDue(): void {
    const expiring = this.#waiting
      .filter(({ expiresAt }) => expiresAt <= this.streamTime)
      .map((waiting) => ({
        due: waiting.expiresAt,
        itemId: waiting.event.data.itemId,
        act: () => {
          this.#waiting = this.#waiting.filter((other) => other !== waiting);
          this.#refuse(waiting.event, "unknown-item");
        },
      }));
    const closing = [...this.items.values()]
      .filter((item) => this.#isDue(item))
      .map((item) => ({
        due: item.endsAt + item.opening.graceMs,
        itemId: item.opening.itemId,
        act: () => this.#close(item),
      }));
    // The sort is stable: events of one item that expire at one moment keep their offset order.
    const due = [...expiring, ...closing].sort(
      (one, other) => one.due - other.due || compareText(one.itemId, other.itemId),
    );
    for (const { act } of due) act();
  }

  #isDue(item: PlainItem): boolean {
    return item.status === "open" && this.streamTime >= item.endsAt + item.opening.graceMs;
  }

  /** Rejects an event whose item is not there, or not any more. */
  #refuse(event: BidRecord | WithdrawalRecord, reason: BidReason): void {
    this.outcomes.set(event.record.offset, { status: "rejected", reason });
    if (event.kind === "bid") this.#notifyRejected(event.data, event.bidId, reason);
  }

  #open(opening: Opening, record: LogRecord): void {
    if (opening.itemsOffset <= this.#lastItemsOffset) return;
    this.#lastItemsOffset = opening.itemsOffset;
    this.#earlyBidWaitMs = opening.earlyBidWaitMs;
    this.#retentionMs = opening.retentionMs;
    this.#tellOfGap(opening.itemsGap, record);
    const listed = this.items.get(opening.itemId);
    if (listed !== undefined) {
      const isRepeated = this.#remembers(listed) && identityOf(listed.opening) === identityOf(opening);
      this.outcomes.set(
        record.offset,
        isRepeated
          ? { status: "accepted", bids: 0, duplicate: true }
          : { status: "rejected", reason: "already-listed" },
      );
      return;
    }
    const item: PlainItem = {
      opening,
      openedAt: record.timestamp,
      endsAt: Date.parse(opening.endsAt),
      bids: [],
      identities: new Map(),
      status: "open",
      closedAt: null,
      keptUntil: Number.POSITIVE_INFINITY,
    };
    this.items.set(opening.itemId, item);
    this.outcomes.set(record.offset, { status: "accepted", bids: 0 });
    const ofItem = ({ event }: Waiting): boolean => event.data.itemId === opening.itemId;
    const waited = this.#waiting.filter(ofItem);
    this.#waiting = this.#waiting.filter((waiting) => !ofItem(waiting));
    for (const { event } of waited) this.#judge(event, item);
    if (this.#isDue(item)) this.#close(item);
  }

  #judgeOrWait(event: BidRecord | WithdrawalRecord): void {
    const item = this.items.get(event.data.itemId);
    if (item !== undefined) return this.#judge(event, item);
    const expiresAt = event.record.timestamp + this.#earlyBidWaitMs + 1;
    const mayWait = this.#waiting.length < waitingLimit && expiresAt > this.streamTime;
    if (mayWait) this.#waiting.push({ event, expiresAt });
    else this.#refuse(event, "unknown-item");
  }

  /** Whether an item still knows its events again. */
  #remembers(item: PlainItem): boolean {
    return item.closedAt === null || this.streamTime <= item.closedAt + identityWindow;
  }

  #judge(event: BidRecord | WithdrawalRecord, item: PlainItem): void {
    if (this.isForgotten(item)) {
      return this.#refuse(event, item.status === "withdrawn" ? "withdrawn" : "ended");
    }
    const identity = JSON.stringify([event.data.edge.subject ?? "", event.source, event.id]);
    const first = this.#remembers(item) ? item.identities.get(identity) : undefined;
    if (first !== undefined) {
      this.outcomes.set(event.record.offset, { ...first, duplicate: true });
      return;
    }
    const outcome = event.kind === "bid" ? this.#bid(event, item) : this.#withdraw(event, item);
    item.identities.set(identity, outcome);
    this.outcomes.set(event.record.offset, outcome);
  }

  #bid(event: BidRecord, item: PlainItem): Outcome {
    const { data, bidId, record } = event;
    const reason = reasonAgainst(data, record.timestamp, item);
    const displaced = highestOf(item);
    this.#judged += 1;
    const { timestamp: at, offset } = record;
    const judged = { ...data, bidId, at, offset, reason, place: this.#judged };
    item.bids.push(judged);
    if (reason !== null) {
      this.#notifyRejected(data, bidId, reason);
      return { status: "rejected", reason, ...standing(item) };
    }
    if (displaced !== undefined && displaced.bidderId !== data.bidderId) {
      this.#output("notifications", eventTypes.bidderOutbid, {
        ...concerning(displaced),
        highest: { amount: data.amount, bidderId: data.bidderId, bidId },
      });
    }
    return { status: "accepted", ...standing(item) };
  }

  #withdraw(event: WithdrawalRecord, item: PlainItem): Outcome {
    const reason = reasonAgainstWithdrawal(event, item);
    if (reason !== null) return { status: "rejected", reason, ...standing(item) };
    this.#complete(item, "withdrawn");
    return { status: "accepted", ...standing(item) };
  }

  #close(item: PlainItem): void {
    const highest = highestOf(item);
    const sold = highest !== undefined && highest.amount >= (item.opening.reserve ?? 0);
    this.#complete(item, sold ? "sold" : "unsold");
  }

  #complete(item: PlainItem, outcome: "sold" | "unsold" | "withdrawn"): void {
    item.status = outcome;
    item.closedAt = this.streamTime;
    item.keptUntil = this.streamTime + Math.max(this.#retentionMs, identityWindow);
    const winner = outcome === "sold" ? highestOf(item) : undefined;
    this.#output("completed", eventTypes.itemCompleted, completion(item, outcome, winner));
    if (winner !== undefined) {
      this.#output("notifications", eventTypes.bidderWon, concerning(winner));
    }
    const told = new Set(winner === undefined ? [] : [winner.bidderId]);
    for (const bid of accepted(item).toReversed()) {
      if (told.has(bid.bidderId)) continue;
      told.add(bid.bidderId);
      this.#output("notifications", eventTypes.bidderLost, concerning(bid));
    }
  }

  #notifyRejected(data: BidData, bidId: string, reason: BidReason): void {
    const { itemId, bidderId, amount } = data;
    const value = { itemId, bidderId, bidId, amount, reason };
    this.#output("notifications", eventTypes.bidderRejected, value);
  }

  #output(topic: OutputTopic, type: string, data: Record<string, unknown>): void {
    const sequence = 1 + this.outputs.filter((output) => output.topic === topic).length;
    this.outputs.push({ topic, sequence, type, data, offset: this.#offset });
  }
}

function itemsTopicOf(journalRecord: LogRecord): string {
  return journalRecord.topic.replace("auction.bids", "auction.items");
}

function compareText(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

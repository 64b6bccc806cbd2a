/**
 * The reducer's store in plain maps, so that the reducer alone is compared with the plain model;
 * the SQLite store is compared in the simulation.
 */
import type { BidEvent, EventIdentity } from "../../src/auction/decode.ts";
import type { ItemTerms } from "../../src/auction/events.ts";
import { lost } from "../../src/auction/outputs.ts";
import type {
  AggregateStore,
  AuctionStore,
  DueItem,
  Entry,
  ItemPhase,
  ItemState,
  LosersOutput,
  Output,
  PartitionState,
  Tombstone,
  WaitingEvent,
} from "../../src/auction/state.ts";

export class MemoryStore implements AuctionStore {
  readonly state: PartitionState = {
    position: 0,
    streamTime: 0,
    openedItemsOffset: -1,
    trustedTime: false,
    earlyBidWaitMs: 3_600_000,
    retentionMs: 604_800_000,
    entries: 0,
    deadLettered: 0,
    knownGaps: 0,
    lostOffsets: 0,
    lastLoss: null,
    sequences: { completed: 0, notifications: 0, deadLetters: 0 },
  };
  readonly aggregates = new MemoryAggregates();
  readonly outputs: Output[] = [];
  readonly #items = new Map<string, ItemState>();
  readonly #keptUntil = new Map<string, number>();
  readonly #terms = new Map<string, ItemTerms>();
  readonly #entries: Entry[] = [];
  #waiting: WaitingEvent[] = [];

  item(itemId: string): ItemState | undefined {
    return this.#isDeparted(itemId) ? undefined : this.#items.get(itemId);
  }

  tombstone(itemId: string): Tombstone | undefined {
    const withdrawn = this.#items.get(itemId)?.phase === "withdrawn";
    return this.#isDeparted(itemId) ? { itemId, withdrawn } : undefined;
  }

  terms(itemId: string): ItemTerms {
    const terms = this.#terms.get(itemId);
    if (terms === undefined) throw new Error(`no terms of ${itemId}`);
    return terms;
  }

  createItem(item: ItemState, terms: ItemTerms): void {
    this.#items.set(item.itemId, item);
    this.#terms.set(item.itemId, terms);
  }

  changed(item: ItemState): void {
    if (item.closedAt === null || this.#keptUntil.has(item.itemId)) return;
    this.#keptUntil.set(item.itemId, (item.departsAt ?? Number.POSITIVE_INFINITY) - 1);
  }

  hasBidder(item: ItemState, bidderId: string): boolean {
    return this.#entries.some((entry) => isAccepted(entry, item.itemId) && entry.bidderId === bidderId);
  }

  findEntry(item: ItemState, { subject, source, id }: EventIdentity): Entry | undefined {
    return this.#entries.findLast(({ itemId, identity }) => {
      const same = identity.subject === subject && identity.source === source && identity.id === id;
      return itemId === item.itemId && same;
    });
  }

  entry(number: number): Entry | undefined {
    return this.#entries[number - 1];
  }

  append(entry: Entry): void {
    this.#entries.push(entry);
  }

  nextDue(streamTime: number): DueItem | undefined {
    return [...this.#items.values()]
      .map((item) => ({ item, due: dueOf(item) }))
      .filter(({ due }) => due <= streamTime)
      .toSorted((one, other) => one.due - other.due || compare(one.item.itemId, other.item.itemId))[0];
  }

  addWaiting(waiting: WaitingEvent): void {
    this.#waiting.push(waiting);
  }

  takeWaiting(itemId: string): readonly WaitingEvent[] {
    const taken = this.#waiting.filter(({ event }) => event.data.itemId === itemId);
    this.#waiting = this.#waiting.filter((waiting) => !taken.includes(waiting));
    return taken;
  }

  nextExpired(streamTime: number): WaitingEvent | undefined {
    return this.#waiting
      .filter(({ expiresAt }) => expiresAt <= streamTime)
      .toSorted(
        (one, other) =>
          one.expiresAt - other.expiresAt ||
          compare(one.event.data.itemId, other.event.data.itemId) ||
          one.event.offset - other.event.offset,
      )[0];
  }

  removeWaiting(waiting: WaitingEvent): void {
    this.#waiting = this.#waiting.filter((other) => other !== waiting);
  }

  get waitingCount(): number {
    return this.#waiting.length;
  }

  emit(output: Output): void {
    this.outputs.push(output);
  }

  /** Makes a fan-out at once: every bidder's newest accepted bid, the newest first. */
  emitLosers(losers: LosersOutput): void {
    const told = new Set([losers.winner]);
    const before = this.outputs.length;
    for (const entry of this.#entries.toReversed()) {
      if (!isAccepted(entry, losers.itemId) || told.has(entry.bidderId)) continue;
      told.add(entry.bidderId);
      this.outputs.push(lost(losers, entry, told.size));
    }
    const made = this.outputs.length - before;
    if (made !== losers.count) throw new Error(`${losers.count} losers announced, ${made} found`);
  }

  #isDeparted(itemId: string): boolean {
    const keptUntil = this.#keptUntil.get(itemId);
    return keptUntil !== undefined && this.state.streamTime > keptUntil;
  }
}

/** Items by category, currency and phase, and accepted bids by category and currency. */
class MemoryAggregates implements AggregateStore {
  readonly counts = new Map<string, number>();

  moved(item: ItemState, from: ItemPhase | null, price: number | null): void {
    const { category, currency, phase } = item;
    if (from !== null) this.#add([category, currency, from], -1);
    this.#add([category, currency, phase], 1);
    this.#add([category, currency, "gross"], price ?? 0);
  }

  accepted({ category, currency }: ItemState, _bid: BidEvent): void {
    this.#add([category, currency, "bids"], 1);
  }

  #add(key: readonly string[], amount: number): void {
    const name = key.join(" ");
    this.counts.set(name, (this.counts.get(name) ?? 0) + amount);
  }
}

function dueOf(item: ItemState): number {
  if (item.phase === "scheduled") return item.startsAt ?? 0;
  return item.phase === "open" ? item.closesAt : Number.POSITIVE_INFINITY;
}

function isAccepted(entry: Entry, itemId: string): boolean {
  return entry.itemId === itemId && entry.kind === "bid" && entry.reason === null;
}

function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

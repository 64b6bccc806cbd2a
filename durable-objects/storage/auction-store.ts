import type { EventIdentity } from "../../src/auction/decode.ts";
import type { ItemTerms } from "../../src/auction/events.ts";
import {
  hasDeparted,
  isSameEvent,
  initialEarlyBidWaitMs,
  initialRetentionMs,
  repetitionWindowMs,
} from "../../src/auction/rules.ts";
import type {
  AuctionStore,
  DueItem,
  Entry,
  ItemState,
  LosersOutput,
  Output,
  PartitionState,
  Tombstone,
  WaitingEvent,
} from "../../src/auction/state.ts";
import { GenerationalCache } from "../../src/lib/generational-cache.ts";
import type { PartitionStorage } from "../dependencies.ts";
import { StoredAggregates } from "./aggregates.ts";
import { BidderIndex, mostCaughtUp } from "./bidder-index.ts";
import { StoredEntries } from "./entries.ts";
import { StoredItems } from "./items.ts";
import type { TrailTail } from "../trail/trail.ts";
import { SeenIndex } from "./seen-index.ts";
import { StoredWaiting } from "./waiting.ts";

const cachedBidders = 50_000;
const departuresPerTransaction = 20;
const compactedPagesPerTransaction = 16;
const dayMs = 24 * 60 * 60 * 1000;

/** How much one walk over a bidder's bids may look at. */
export interface WalkBounds {
  readonly candidates: number;
  /** Runs of the index. */
  readonly runs: number;
}

/**
 * The reducer's store over SQLite. Everything that a transaction changes is in memory first and
 * written by `flush`, a row a touched thing; after a transaction that failed, this object is
 * thrown away and made anew from storage.
 */
export class StoredAuction implements AuctionStore {
  readonly state: PartitionState;
  readonly aggregates: StoredAggregates;
  readonly items: StoredItems;
  readonly entries: StoredEntries;
  readonly waiting: StoredWaiting;
  outputs: (Output | LosersOutput)[] = [];
  private readonly storage: PartitionStorage;
  private readonly seen: SeenIndex;
  private readonly bidsOf: BidderIndex;
  private readonly bidders = new GenerationalCache<string, true>(cachedBidders);
  private compactionCursor: number;
  private compactionResumes: number;

  /**
   * @param runLength what the indexes collect before they write a run of it
   * @param aggregates what follows the reducer's decisions
   */
  constructor(
    storage: PartitionStorage,
    runLength?: number,
    aggregates: StoredAggregates = new StoredAggregates(storage),
  ) {
    this.storage = storage;
    this.state = readState(storage);
    this.items = new StoredItems(storage);
    this.entries = new StoredEntries(storage);
    this.waiting = new StoredWaiting(storage);
    this.aggregates = aggregates;
    this.seen = new SeenIndex(storage, runLength);
    this.bidsOf = new BidderIndex(storage, this.seen.seed, runLength);
    this.compactionCursor = -1;
    this.compactionResumes = 0;
    this.catchUpDerived();
  }

  /** After reads, which may bring any number of items into memory; not within a transaction. */
  trim(): void {
    this.items.trim();
  }

  /** Reads the items that a run of records is about, so that each need not be read on its own. */
  prepare(itemIds: Iterable<string>): void {
    this.items.preload(itemIds);
  }

  /** Counts and indexes the entries that are in pages but not yet in the rows of windows, cells and runs. */
  private catchUpDerived(): void {
    const { countedThrough } = this.aggregates;
    const { storedThrough } = this.seen;
    // A partition that is older than this index would take very long to index all that it has.
    const bidsThrough = Math.max(this.bidsOf.storedThrough, this.state.entries - mostCaughtUp);
    for (const entry of this.entries.after(Math.min(countedThrough, storedThrough, bidsThrough))) {
      if (entry.number > countedThrough) {
        this.aggregates.recount(entry, this.items.get(entry.itemId), this.state.streamTime);
      }
      if (entry.number > storedThrough) this.index(entry);
      if (entry.number > bidsThrough) this.indexBidder(entry);
    }
  }

  item(itemId: string): ItemState | undefined {
    const item = this.items.get(itemId);
    return item === undefined || hasDeparted(item, this.state.streamTime) ? undefined : item;
  }

  tombstone(itemId: string): Tombstone | undefined {
    const item = this.items.get(itemId);
    if (item === undefined) return this.items.tombstone(itemId);
    return hasDeparted(item, this.state.streamTime)
      ? { itemId, withdrawn: item.phase === "withdrawn" }
      : undefined;
  }

  terms(itemId: string): ItemTerms {
    return this.items.terms(itemId);
  }

  createItem(item: ItemState, terms: ItemTerms): void {
    this.items.create(item, terms);
  }

  changed(item: ItemState): void {
    this.items.changed(item, this.state.position);
  }

  hasBidder(item: ItemState, bidderId: string): boolean {
    if (item.bids === 0) return false;
    const key = bidderKey(item.itemId, bidderId);
    if (this.bidders.get(key) === true) return true;
    return this.newestAccepted(item, bidderId) !== undefined;
  }

  /** The newest accepted bid of a bidder on an item. */
  newestAccepted(item: Pick<ItemState, "itemId" | "firstEntry">, bidderId: string): Entry | undefined {
    const hash = this.seen.hashOf(bidderKey(item.itemId, bidderId));
    return this.firstMatch(hash, item.firstEntry, (entry) => {
      return (
        entry.itemId === item.itemId &&
        entry.bidderId === bidderId &&
        entry.kind === "bid" &&
        entry.reason === null
      );
    });
  }

  findEntry(item: ItemState, identity: EventIdentity): Entry | undefined {
    if (item.firstEntry === 0) return undefined;
    const hash = this.seen.hashOf(eventKey(item.itemId, identity));
    return this.firstMatch(hash, item.firstEntry, (entry) => {
      return entry.itemId === item.itemId && isSameEvent(entry.identity, identity);
    });
  }

  private firstMatch(hash: number, oldest: number, matches: (entry: Entry) => boolean): Entry | undefined {
    for (const number of this.seen.find(hash, oldest)) {
      const entry = number < oldest ? undefined : this.entries.get(number);
      if (entry !== undefined && matches(entry)) return entry;
    }
    return undefined;
  }

  append(entry: Entry): void {
    this.entries.append(entry);
    this.index(entry);
    this.indexBidder(entry);
    this.aggregates.countCell(entry);
  }

  entry(number: number): Entry | undefined {
    return this.entries.get(number);
  }

  /** 32 bits of an event's id, seeded with the partition's own number. */
  hashOfId(id: string): number {
    return this.seen.hashOf(id) >>> 0;
  }

  private index(entry: Entry): void {
    this.seen.add(this.seen.hashOf(eventKey(entry.itemId, entry.identity)), entry.number);
    if (entry.kind !== "bid" || entry.reason !== null) return;
    const key = bidderKey(entry.itemId, entry.bidderId);
    this.seen.add(this.seen.hashOf(key), entry.number);
    this.bidders.set(key, true);
  }

  private indexBidder({ kind, bidderId, number }: Entry): void {
    if (kind === "bid") this.bidsOf.add(bidderId, number);
  }

  /**
   * Visits a bidder's bids that are kept, the last judged first, from entry `through` down, until
   * `visit` answers false or `bounds` are reached; answers the number to go on from, 0 at the end.
   */
  walkBids(bidderId: string, through: number, bounds: WalkBounds, visit: (entry: Entry) => boolean): number {
    let left = bounds.candidates;
    return this.bidsOf.walk(bidderId, through, bounds.runs, (number) => {
      left -= 1;
      const entry = this.entries.get(number);
      const isTheirs = entry?.bidderId === bidderId && entry.kind === "bid";
      return (!isTheirs || visit(entry)) && left > 0;
    });
  }

  nextDue(streamTime: number): DueItem | undefined {
    return this.items.nextDue(streamTime);
  }

  addWaiting(waiting: WaitingEvent): void {
    this.waiting.add(waiting);
  }

  takeWaiting(itemId: string): Iterable<WaitingEvent> {
    return this.waiting.take(itemId);
  }

  nextExpired(streamTime: number): WaitingEvent | undefined {
    return this.waiting.nextExpired(streamTime);
  }

  removeWaiting(waiting: WaitingEvent): void {
    this.waiting.remove(waiting);
  }

  get waitingCount(): number {
    return this.waiting.count;
  }

  emit(output: Output): void {
    this.outputs.push(output);
  }

  emitLosers(output: LosersOutput): void {
    this.outputs.push(output);
  }

  /**
   * Writes what the transaction changed, but the outbox, whose rows `takeOutputs` hands over.
   * @param outboxPosition journal position of the oldest output that is still to be sent
   * @param trail the end of what is kept of recent records; a replay keeps nothing of them
   */
  flush(outboxPosition: number, trail?: TrailTail): void {
    const { state } = this;
    const changed = this.items.flush();
    this.entries.flush(state.streamTime);
    this.seen.flush(state.entries);
    this.bidsOf.flush(state.entries);
    this.aggregates.flush(state.streamTime, state.entries);
    // More than can have come in this transaction, so that those that are due never pile up.
    this.items.releaseDeparted(state.streamTime, outboxPosition, changed + departuresPerTransaction);
    this.compact();
    this.bidders.trim();
    this.storage.run(
      `INSERT INTO partition_state (id, state, trail_hashes, trail_steps) VALUES (1, ?, ?, ?)
       ON CONFLICT DO UPDATE SET state = excluded.state, trail_hashes = excluded.trail_hashes,
         trail_steps = excluded.trail_steps`,
      JSON.stringify(state),
      trail?.hashes.buffer ?? null,
      trail?.steps.buffer ?? null,
    );
  }

  takeOutputs(): readonly (Output | LosersOutput)[] {
    const { outputs } = this;
    this.outputs = [];
    return outputs;
  }

  /**
   * A few pages a transaction, and a day of stream time between two passes over them. Entries that
   * are not in the stored windows and cells yet stay: those are rebuilt from them at a start.
   */
  private compact(): void {
    const { streamTime, retentionMs } = this.state;
    if (streamTime < this.compactionResumes) return;
    const before = streamTime - Math.max(retentionMs, repetitionWindowMs);
    const isKept = (itemId: string): boolean => this.items.get(itemId) !== undefined;
    for (let pages = 0; pages < compactedPagesPerTransaction; pages += 1) {
      const { compactionCursor: cursor, aggregates } = this;
      const next = this.entries.compactNext(cursor, aggregates.countedThrough, before, isKept);
      if (next === null) return this.endCompaction();
      this.compactionCursor = next;
    }
  }

  private endCompaction(): void {
    this.compactionCursor = -1;
    this.compactionResumes = this.state.streamTime + dayMs;
    const gone = this.entries.firstNumber() - 1;
    this.seen.dropThrough(gone);
    this.bidsOf.dropThrough(gone);
  }
}

function readState(storage: PartitionStorage): PartitionState {
  const [row] = storage.all<{ state: string }>(`SELECT state FROM partition_state WHERE id = 1`);
  // What an older Gavel wrote lacks what was added since.
  return { ...initialState(), ...(row === undefined ? {} : (JSON.parse(row.state) as PartitionState)) };
}

function initialState(): PartitionState {
  return {
    position: 0,
    streamTime: 0,
    openedItemsOffset: -1,
    trustedTime: false,
    earlyBidWaitMs: initialEarlyBidWaitMs,
    retentionMs: initialRetentionMs,
    entries: 0,
    deadLettered: 0,
    knownGaps: 0,
    lostOffsets: 0,
    lastLoss: null,
    sequences: { completed: 0, notifications: 0, deadLetters: 0 },
  };
}

function eventKey(itemId: string, { subject, source, id }: EventIdentity): string {
  return `event\n${itemId}\n${subject}\n${source}\n${id}`;
}

function bidderKey(itemId: string, bidderId: string): string {
  return `bidder\n${itemId}\n${bidderId}`;
}

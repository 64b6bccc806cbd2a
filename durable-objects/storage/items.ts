import type { ItemTerms } from "../../src/auction/events.ts";
import type { DueItem, ItemState, StandingBid, Tombstone } from "../../src/auction/state.ts";
import { GenerationalCache } from "../../src/lib/generational-cache.ts";
import type { PartitionStorage } from "../dependencies.ts";

const cachedItems = 10_000;

interface CachedItem {
  readonly item: ItemState;
  /** Due time of the item's timer row, null where it has none. */
  timer: number | null;
  /** `open_since` as stored; undefined before the first write. */
  openSince: number | null | undefined;
}

interface Due {
  readonly due: number;
  readonly itemId: string;
}

/**
 * Items by id, with the timer that starts or closes each. Read on demand, so that memory does
 * not grow with open items; written once a transaction, however often they changed in it.
 */
export class StoredItems {
  private readonly storage: PartitionStorage;
  private readonly cache = new GenerationalCache<string, CachedItem>(cachedItems);
  private readonly changedItems = new Set<CachedItem>();
  private soonest: Due | null;

  constructor(storage: PartitionStorage) {
    this.storage = storage;
    this.soonest = this.readSoonest();
  }

  get(itemId: string): ItemState | undefined {
    return this.find(itemId)?.item;
  }

  private find(itemId: string): CachedItem | undefined {
    const cached = this.cache.get(itemId);
    if (cached !== undefined) return cached;
    const [row] = this.storage.all<{ open_since: number | null; state: string }>(
      `SELECT open_since, state FROM items WHERE item_id = ?`,
      itemId,
    );
    if (row === undefined) return undefined;
    const item = decodeItem(row.state);
    const found = { item, timer: timerOf(item), openSince: row.open_since };
    this.cache.set(itemId, found);
    return found;
  }

  tombstone(itemId: string): Tombstone | undefined {
    const [row] = this.storage.all<{ withdrawn: number }>(
      `SELECT withdrawn FROM tombstones WHERE item_id = ?`,
      itemId,
    );
    return row === undefined ? undefined : { itemId, withdrawn: row.withdrawn === 1 };
  }

  terms(itemId: string): ItemTerms {
    const [row] = this.storage.all<{ terms: string }>(`SELECT terms FROM terms WHERE item_id = ?`, itemId);
    if (row === undefined) throw new Error(`item ${itemId} has no terms`);
    return JSON.parse(row.terms) as ItemTerms;
  }

  create(item: ItemState, terms: ItemTerms): void {
    this.storage.run(`INSERT INTO terms (item_id, terms) VALUES (?, ?)`, item.itemId, JSON.stringify(terms));
    const created: CachedItem = { item, timer: null, openSince: undefined };
    this.cache.set(item.itemId, created);
    this.setTimer(created);
    this.changedItems.add(created);
  }

  /** @param position journal offset of the record being applied; a departure waits for its outputs */
  changed(item: ItemState, position: number): void {
    const cached = this.find(item.itemId);
    if (cached === undefined) throw new Error(`item ${item.itemId} is not stored`);
    this.changedItems.add(cached);
    if (cached.timer === timerOf(item)) return;
    this.setTimer(cached);
    const { departsAt: due } = item;
    if (due === null) return;
    this.storage.run(
      `INSERT INTO departures (due, item_id, position) VALUES (?, ?, ?)`,
      due,
      item.itemId,
      position,
    );
  }

  private setTimer(cached: CachedItem): void {
    const { itemId } = cached.item;
    if (cached.timer !== null) {
      this.storage.run(`DELETE FROM timers WHERE due = ? AND item_id = ?`, cached.timer, itemId);
      if (this.soonest?.itemId === itemId) this.soonest = this.readSoonest();
    }
    const due = timerOf(cached.item);
    cached.timer = due;
    if (due === null) return;
    this.storage.run(`INSERT INTO timers (due, item_id) VALUES (?, ?)`, due, itemId);
    const { soonest } = this;
    if (soonest === null || due < soonest.due || (due === soonest.due && itemId < soonest.itemId)) {
      this.soonest = { due, itemId };
    }
  }

  private readSoonest(): Due | null {
    type Row = { due: number; item_id: string };
    const [row] = this.storage.all<Row>(`SELECT due, item_id FROM timers ORDER BY due, item_id LIMIT 1`);
    return row === undefined ? null : { due: row.due, itemId: row.item_id };
  }

  /** When the next start or closing is due, null without one. */
  get nextTimer(): Due | null {
    return this.soonest;
  }

  nextDue(streamTime: number): DueItem | undefined {
    const { soonest } = this;
    if (soonest === null || soonest.due > streamTime) return undefined;
    const item = this.get(soonest.itemId);
    if (item === undefined) throw new Error(`item ${soonest.itemId} has a timer and no row`);
    return { item, due: soonest.due };
  }

  /** Writes each changed item once; inside the transaction that moves the position. */
  flush(): void {
    for (const cached of this.changedItems) {
      const { item } = cached;
      const openSince = item.phase === "open" ? item.listedAt : null;
      if (cached.openSince === openSince) {
        // Leaves `open_since` alone: naming it would rewrite its index entry, which costs a row.
        this.storage.run(`UPDATE items SET state = ? WHERE item_id = ?`, encodeItem(item), item.itemId);
        continue;
      }
      this.storage.run(
        `INSERT INTO items (item_id, open_since, state) VALUES (?, ?, ?)
         ON CONFLICT DO UPDATE SET open_since = excluded.open_since, state = excluded.state`,
        item.itemId,
        openSince,
        encodeItem(item),
      );
      cached.openSince = openSince;
    }
    this.changedItems.clear();
    this.cache.trim();
  }

  /**
   * Lets finished items go whose retention is over: their rows become a tombstone. Only those
   * whose outputs have all left the outbox, which `outboxPosition` (where the transaction of its
   * oldest row began) tells.
   */
  releaseDeparted(streamTime: number, outboxPosition: number, limit: number): number {
    const rows = this.storage.all<{ due: number; item_id: string }>(
      `SELECT due, item_id FROM departures WHERE due <= ? AND position < ? ORDER BY due LIMIT ?`,
      streamTime,
      outboxPosition,
      limit,
    );
    for (const { due, item_id: itemId } of rows) {
      const withdrawn = this.get(itemId)?.phase === "withdrawn" ? 1 : 0;
      this.storage.run(`INSERT INTO tombstones (item_id, withdrawn) VALUES (?, ?)`, itemId, withdrawn);
      this.storage.run(`DELETE FROM items WHERE item_id = ?`, itemId);
      this.storage.run(`DELETE FROM terms WHERE item_id = ?`, itemId);
      this.storage.run(`DELETE FROM departures WHERE due = ? AND item_id = ?`, due, itemId);
      this.cache.delete(itemId);
    }
    return rows.length;
  }
}

/** When the item's phase next changes by time: its start, then its closing. */
function timerOf(item: ItemState): number | null {
  if (item.phase === "scheduled") return item.startsAt;
  return item.phase === "open" ? item.closesAt : null;
}

type StoredHighest = [amount: number, bidderId: string, bidId: string, offset: number, entry: number];

type StoredItem = [
  itemId: string,
  sellerId: string,
  category: string,
  currency: string,
  startingPrice: number,
  increment: number,
  reserve: number | null,
  startsAt: number | null,
  endsAt: number,
  closesAt: number,
  listedAt: number,
  phase: ItemState["phase"],
  highest: StoredHighest | null,
  bids: number,
  rejected: number,
  bidders: number,
  firstEntry: number,
  lastEntry: number,
  closedAt: number | null,
  departsAt: number | null,
];

function encodeItem(item: ItemState): string {
  const { highest } = item;
  const stored: StoredItem = [
    item.itemId,
    item.sellerId,
    item.category,
    item.currency,
    item.startingPrice,
    item.increment,
    item.reserve,
    item.startsAt,
    item.endsAt,
    item.closesAt,
    item.listedAt,
    item.phase,
    highest === null
      ? null
      : [highest.amount, highest.bidderId, highest.bidId, highest.offset, highest.entry],
    item.bids,
    item.rejected,
    item.bidders,
    item.firstEntry,
    item.lastEntry,
    item.closedAt,
    item.departsAt,
  ];
  return JSON.stringify(stored);
}

export function decodeItem(text: string): ItemState {
  const [
    itemId,
    sellerId,
    category,
    currency,
    startingPrice,
    increment,
    reserve,
    startsAt,
    endsAt,
    closesAt,
    listedAt,
    phase,
    highest,
    bids,
    rejected,
    bidders,
    firstEntry,
    lastEntry,
    closedAt,
    departsAt,
  ] = JSON.parse(text) as StoredItem;
  const immutable = { itemId, sellerId, category, currency, startingPrice, increment, reserve };
  const times = { startsAt, endsAt, closesAt, listedAt, closedAt, departsAt };
  const counts = { bids, rejected, bidders, firstEntry, lastEntry };
  return { ...immutable, ...times, ...counts, phase, highest: highest === null ? null : highestOf(highest) };
}

function highestOf([amount, bidderId, bidId, offset, entry]: StoredHighest): StandingBid {
  return { amount, bidderId, bidId, offset, entry };
}

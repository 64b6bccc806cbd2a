import type { ItemTerms } from "../../src/auction/events.ts";
import type { DueItem, ItemState, Tombstone } from "../../src/auction/state.ts";
import { GenerationalCache } from "../../src/lib/generational-cache.ts";
import type { PartitionStorage, SqlValue } from "../dependencies.ts";
import { decodeItem, encodeRules, encodeState, type ItemRow } from "./item-codec.ts";
import { writeRows } from "./rows.ts";
import { StoredTimers, type Timer } from "./timers.ts";

const cachedItems = 10_000;

interface Created {
  readonly item: ItemState;
  readonly terms: ItemTerms;
}

interface CachedItem {
  readonly item: ItemState;
  /** Due time of the item's timer row, null where it has none. */
  timer: number | null;
  /** `open_since` as stored; undefined before the first write. */
  openSince: number | null | undefined;
}

/**
 * Items by id, with the timer that starts or closes each. Read on demand, so that memory does
 * not grow with open items; written once a transaction, however often they changed in it.
 */
export class StoredItems {
  private readonly storage: PartitionStorage;
  private readonly cache = new GenerationalCache<string, CachedItem>(cachedItems);
  private changedItems = new Set<CachedItem>();
  private flushedItems = new Set<CachedItem>();
  private readonly timers: StoredTimers;
  private readonly created = new Map<string, Created>();
  private readonly departures: SqlValue[] = [];

  constructor(storage: PartitionStorage) {
    this.storage = storage;
    this.timers = new StoredTimers(storage);
  }

  get(itemId: string): ItemState | undefined {
    return this.find(itemId)?.item;
  }

  private find(itemId: string): CachedItem | undefined {
    const cached = this.cache.get(itemId);
    if (cached !== undefined) return cached;
    const [row] = this.storage.all<ItemRow & { open_since: number | null }>(
      `SELECT open_since, rules, state FROM items JOIN terms USING (item_id) WHERE item_id = ?`,
      itemId,
    );
    return row === undefined ? undefined : this.remember(itemId, row);
  }

  /** Reads by one statement what is not in memory of these items. */
  preload(itemIds: Iterable<string>): void {
    const missing = [...new Set(itemIds)].filter((itemId) => this.cache.get(itemId) === undefined);
    if (missing.length < 2) return;
    const rows = this.storage.all<ItemRow & { item_id: string; open_since: number | null }>(
      `SELECT item_id, open_since, rules, state FROM items JOIN terms USING (item_id)
       WHERE item_id IN (SELECT value FROM json_each(?))`,
      JSON.stringify(missing),
    );
    for (const row of rows) this.remember(row.item_id, row);
  }

  private remember(itemId: string, row: ItemRow & { open_since: number | null }): CachedItem {
    const item = decodeItem(itemId, row);
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
    const created = this.created.get(itemId);
    if (created !== undefined) return created.terms;
    const [row] = this.storage.all<{ terms: string }>(`SELECT terms FROM terms WHERE item_id = ?`, itemId);
    if (row === undefined) throw new Error(`item ${itemId} has no terms`);
    return JSON.parse(row.terms) as ItemTerms;
  }

  create(item: ItemState, terms: ItemTerms): void {
    this.created.set(item.itemId, { item, terms });
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
    this.departures.push(due, item.itemId, position);
  }

  private setTimer(cached: CachedItem): void {
    const { itemId } = cached.item;
    if (cached.timer !== null) this.timers.remove({ due: cached.timer, itemId });
    cached.timer = timerOf(cached.item);
    if (cached.timer !== null) this.timers.add({ due: cached.timer, itemId });
  }

  /** The next start or closing, null without one. */
  get nextTimer(): Timer | null {
    return this.timers.first;
  }

  nextDue(streamTime: number): DueItem | undefined {
    const soonest = this.timers.first;
    if (soonest === null || soonest.due > streamTime) return undefined;
    const item = this.get(soonest.itemId);
    if (item === undefined) throw new Error(`item ${soonest.itemId} has a timer and no row`);
    return { item, due: soonest.due };
  }

  /** Lets go of what is not needed for now. Only between transactions: within one, an item is one object. */
  trim(): void {
    this.cache.trim();
  }

  /** Writes each changed item once; inside the transaction that moves the position. Answers how many. */
  flush(): number {
    const states: SqlValue[] = [];
    const phases: SqlValue[] = [];
    for (const cached of this.changedItems) {
      const { item } = cached;
      const openSince = item.phase === "open" ? item.listedAt : null;
      // Most changes leave `open_since` alone: naming it would rewrite its index entry, a row more.
      if (cached.openSince === openSince) states.push(item.itemId, encodeState(item));
      else phases.push(item.itemId, openSince, encodeState(item));
      cached.openSince = openSince;
    }
    writeRows(this.storage, 2, states, (rows) => {
      return `INSERT INTO items (item_id, state) VALUES ${rows} ON CONFLICT DO UPDATE SET state = excluded.state`;
    });
    writeRows(this.storage, 3, phases, (rows) => {
      return `INSERT INTO items (item_id, open_since, state) VALUES ${rows}
        ON CONFLICT DO UPDATE SET open_since = excluded.open_since, state = excluded.state`;
    });
    this.flushTerms();
    this.timers.flush();
    writeRows(this.storage, 3, this.departures, (rows) => {
      return `INSERT INTO departures (due, item_id, position) VALUES ${rows}`;
    });
    this.departures.length = 0;
    this.flushedItems = this.changedItems;
    this.changedItems = new Set();
    this.cache.trim();
    return this.flushedItems.size;
  }

  /** Ids of what the last `flush` wrote. */
  *flushed(): Generator<string> {
    for (const { item } of this.flushedItems) yield item.itemId;
  }

  private flushTerms(): void {
    const values = [...this.created.values()].flatMap(({ item, terms }) => {
      return [item.itemId, encodeRules(item), JSON.stringify(terms)];
    });
    writeRows(this.storage, 3, values, (rows) => `INSERT INTO terms (item_id, rules, terms) VALUES ${rows}`);
    this.created.clear();
  }

  /**
   * Lets finished items go whose retention is over: their rows become a tombstone. Only those
   * whose outputs have all left the outbox, which `outboxPosition` (where the transaction of its
   * oldest row began) tells.
   */
  releaseDeparted(streamTime: number, outboxPosition: number, limit: number): void {
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
  }
}

/** When the item's phase next changes by time: its start, then its closing. */
function timerOf(item: ItemState): number | null {
  if (item.phase === "scheduled") return item.startsAt;
  return item.phase === "open" ? item.closesAt : null;
}

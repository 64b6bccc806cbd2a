import type { ItemTerms } from "../../src/auction/events.ts";
import type { DueItem, ItemState, Tombstone } from "../../src/auction/state.ts";
import { GenerationalCache } from "../../src/lib/generational-cache.ts";
import type { PartitionStorage } from "../dependencies.ts";
import { decodeItem, encodeRules, encodeState, type ItemRow } from "./item-codec.ts";

const cachedItems = 10_000;
/** The platform binds at most 100 parameters. */
const statesPerStatement = 50;

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
    const [row] = this.storage.all<{ terms: string }>(`SELECT terms FROM terms WHERE item_id = ?`, itemId);
    if (row === undefined) throw new Error(`item ${itemId} has no terms`);
    return JSON.parse(row.terms) as ItemTerms;
  }

  create(item: ItemState, terms: ItemTerms): void {
    this.storage.run(
      `INSERT INTO terms (item_id, rules, terms) VALUES (?, ?, ?)`,
      item.itemId,
      encodeRules(item),
      JSON.stringify(terms),
    );
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
    const states: string[] = [];
    for (const cached of this.changedItems) {
      const { item } = cached;
      const openSince = item.phase === "open" ? item.listedAt : null;
      // Most changes leave `open_since` alone: naming it would rewrite its index entry, a row more.
      if (cached.openSince === openSince) states.push(item.itemId, encodeState(item));
      else this.writeWithOpenSince(cached, openSince);
    }
    this.writeStates(states);
    this.changedItems.clear();
    this.cache.trim();
  }

  private writeWithOpenSince(cached: CachedItem, openSince: number | null): void {
    this.storage.run(
      `INSERT INTO items (item_id, open_since, state) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET open_since = excluded.open_since, state = excluded.state`,
      cached.item.itemId,
      openSince,
      encodeState(cached.item),
    );
    cached.openSince = openSince;
  }

  /** Ids and states in turn. Many rows a statement, since each statement costs more than a row. */
  private writeStates(states: readonly string[]): void {
    for (let start = 0; start < states.length; start += statesPerStatement * 2) {
      const slice = states.slice(start, start + statesPerStatement * 2);
      const rows = Array.from({ length: slice.length / 2 }, () => "(?, ?)").join(", ");
      this.storage.run(
        `INSERT INTO items (item_id, state) VALUES ${rows} ON CONFLICT DO UPDATE SET state = excluded.state`,
        ...slice,
      );
    }
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

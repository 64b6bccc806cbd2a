import { cellToParent, getResolution, isValidCell } from "h3-js";
import {
  categoryKey,
  countedCategory,
  decodeTotals,
  emptyTotals,
  encodeTotals,
  isWindowKept,
  Window,
  windowMs,
  windowRetentionMs,
  windowStart,
  type CategoryTotals,
  type CellTotals,
} from "../../src/auction/aggregates.ts";
import type { BidEvent } from "../../src/auction/decode.ts";
import { DistinctCounter, type Sketch } from "../../src/auction/sketch.ts";
import type { AggregateStore, Entry, ItemPhase, ItemState } from "../../src/auction/state.ts";
import type { PartitionStorage } from "../dependencies.ts";
import { writeRows } from "./rows.ts";

/** Cells counted on their own; beyond, a new cell counts as its coarse parent. */
const maximumCells = 4_096;
const overflowResolution = 1;
/** Windows held in memory; others are read again when a late bid needs them. */
const maximumCachedWindows = 256;
/** Windows and cells are written every so many entries. */
const derivedFlushEntries = 20_000;

/**
 * Aggregates in memory. Categories are written once per transaction where they changed. Windows
 * and cells are functions of the entries, which are in the same transactions: they are written
 * rarely, and what came after is counted again from the entries at a start.
 */
export class StoredAggregates implements AggregateStore {
  private readonly storage: PartitionStorage;
  private readonly categories = new Map<string, CategoryTotals>();
  private readonly windows = new Map<string, Window>();
  private readonly cells = new Map<string, CellTotals>();
  private readonly changedCategories = new Set<CategoryTotals>();
  private readonly changedWindows = new Set<Window>();
  private readonly changedCells = new Set<CellTotals>();
  /** Entries up to this number are in the stored windows and cells. */
  private derivedThrough: number;

  constructor(storage: PartitionStorage) {
    this.storage = storage;
    type CategoryRow = { category: string; currency: string; totals: string };
    for (const row of storage.all<CategoryRow>(`SELECT * FROM categories`)) {
      this.categories.set(
        categoryKey(row.category, row.currency),
        decodeTotals(row.category, row.currency, row.totals),
      );
    }
    for (const row of storage.all<{ cell: string; country: string; totals: string }>(`SELECT * FROM cells`)) {
      const stored = JSON.parse(row.totals) as { bids: number; bidders: Sketch };
      const bidders = DistinctCounter.fromSketch(stored.bidders);
      this.cells.set(keyOf(row.cell, row.country), {
        cell: row.cell,
        country: row.country,
        bids: stored.bids,
        bidders,
      });
    }
    const [through] = storage.all<{ value: string }>(
      `SELECT value FROM bookkeeping WHERE name = 'derived_through'`,
    );
    this.derivedThrough = Number(through?.value ?? 0);
  }

  /** Entries behind this number have to be given to `recount` after a start. */
  get countedThrough(): number {
    return this.derivedThrough;
  }

  moved(item: ItemState, from: ItemPhase | null, price: number | null): void {
    const totals = this.totalsOf(item);
    if (from !== null) totals.phases[from] -= 1;
    totals.phases[item.phase] += 1;
    if (price !== null) totals.gross += BigInt(price);
    this.changedCategories.add(totals);
  }

  accepted(item: ItemState, bid: BidEvent, streamTime: number): void {
    const totals = this.totalsOf(item);
    totals.bids += 1;
    this.changedCategories.add(totals);
    this.countWindow(totals, bid.timestamp, item.itemId, bid.data.bidderId, bid.data.amount, streamTime);
  }

  private countWindow(
    { category, currency }: CategoryTotals,
    timestamp: number,
    itemId: string,
    bidderId: string,
    amount: number,
    streamTime: number,
  ): void {
    const start = windowStart(timestamp);
    if (!isWindowKept(start, streamTime)) return;
    const window = this.windowOf(start, category, currency);
    window.count(itemId, bidderId, amount);
    this.changedWindows.add(window);
  }

  /**
   * Counts an entry again that is not in the stored windows and cells. Its item is gone only long
   * after its windows are.
   */
  recount(entry: Entry, item: ItemState | undefined, streamTime: number): void {
    this.countCell(entry);
    if (entry.kind !== "bid" || entry.reason !== null || item === undefined) return;
    const { timestamp, itemId, bidderId, amount } = entry;
    this.countWindow(this.totalsOf(item), timestamp, itemId, bidderId, amount, streamTime);
  }

  /** Counts one judged event into its geocell; rejected bids and events without a cell count nowhere. */
  countCell(entry: Entry): void {
    if (entry.kind !== "bid" || entry.reason !== null || entry.cell === "") return;
    const totals = this.cellOf(entry.cell, entry.country);
    totals.bids += 1;
    totals.bidders.add(entry.bidderId);
    this.changedCells.add(totals);
  }

  private totalsOf(item: ItemState): CategoryTotals {
    const known = this.categories.get(categoryKey(item.category, item.currency));
    if (known !== undefined) return known;
    const category = countedCategory(item, this.categories);
    const key = categoryKey(category, item.currency);
    const totals = this.categories.get(key) ?? emptyTotals(category, item.currency);
    this.categories.set(key, totals);
    return totals;
  }

  private windowOf(start: number, category: string, currency: string): Window {
    const key = keyOf(String(start), category, currency);
    const cached = this.windows.get(key);
    if (cached !== undefined) return cached;
    const [row] = this.storage.all<{ window: string }>(
      `SELECT window FROM windows WHERE start = ? AND category = ? AND currency = ?`,
      start,
      category,
      currency,
    );
    const window = new Window(start, category, currency, row?.window);
    this.windows.set(key, window);
    return window;
  }

  private cellOf(cell: string, country: string): CellTotals {
    const known = this.cells.get(keyOf(cell, country));
    if (known !== undefined) return known;
    const counted = this.cells.size >= maximumCells ? coarseParent(cell) : cell;
    const key = keyOf(counted, country);
    const totals = this.cells.get(key) ?? { cell: counted, country, bids: 0, bidders: new DistinctCounter() };
    this.cells.set(key, totals);
    return totals;
  }

  /** Writes what changed; inside the transaction that moves the position. */
  flush(streamTime: number, lastEntry: number): void {
    const values = [...this.changedCategories].flatMap((totals) => {
      return [totals.category, totals.currency, encodeTotals(totals)];
    });
    writeRows(this.storage, 3, values, (rows) => {
      return `INSERT INTO categories (category, currency, totals) VALUES ${rows}
        ON CONFLICT DO UPDATE SET totals = excluded.totals`;
    });
    this.changedCategories.clear();
    const isDue = lastEntry - this.derivedThrough >= derivedFlushEntries;
    if (isDue || this.windows.size > maximumCachedWindows) this.flushDerived(streamTime, lastEntry);
  }

  private flushDerived(streamTime: number, lastEntry: number): void {
    for (const window of this.changedWindows) {
      if (!isWindowKept(window.start, streamTime)) continue;
      this.storage.run(
        `INSERT INTO windows VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET window = excluded.window`,
        window.start,
        window.category,
        window.currency,
        window.encode(),
      );
    }
    this.changedWindows.clear();
    this.windows.clear();
    this.storage.run(`DELETE FROM windows WHERE start <= ?`, lastStartNotKept(streamTime));
    this.flushCells();
    this.derivedThrough = lastEntry;
    this.storage.run(
      `INSERT INTO bookkeeping VALUES ('derived_through', ?) ON CONFLICT DO UPDATE SET value = excluded.value`,
      String(lastEntry),
    );
  }

  private flushCells(): void {
    for (const { cell, country, bids, bidders } of this.changedCells) {
      this.storage.run(
        `INSERT INTO cells VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET totals = excluded.totals`,
        cell,
        country,
        JSON.stringify({ bids, bidders: bidders.toSketch() }),
      );
    }
    this.changedCells.clear();
  }

  listCategories(): readonly CategoryTotals[] {
    return [...this.categories.values()];
  }

  listCells(): readonly CellTotals[] {
    return [...this.cells.values()];
  }

  /** The newest windows still kept at a stream time, at most `limit` of them, oldest first; what is in memory is newer than what is stored. */
  listWindows(streamTime: number, category?: string, limit = Number.MAX_SAFE_INTEGER): readonly Window[] {
    type Row = { start: number; category: string; currency: string; window: string };
    const rows = this.storage.all<Row>(
      `SELECT * FROM windows WHERE start > ? AND category = coalesce(?, category) ORDER BY start DESC LIMIT ?`,
      lastStartNotKept(streamTime),
      category ?? null,
      limit,
    );
    const stored = rows
      .filter((row) => !this.windows.has(keyOf(String(row.start), row.category, row.currency)))
      .map((row) => new Window(row.start, row.category, row.currency, row.window));
    const cached = [...this.windows.values()].filter((window) => {
      return (
        isWindowKept(window.start, streamTime) && (category === undefined || window.category === category)
      );
    });
    return [...stored, ...cached].sort(byStartAndCategory).slice(-limit);
  }
}

function byStartAndCategory(left: Window, right: Window): number {
  if (left.start !== right.start) return left.start - right.start;
  return keyOf(left.category, left.currency) < keyOf(right.category, right.currency) ? -1 : 1;
}

function lastStartNotKept(streamTime: number): number {
  return streamTime - windowMs - windowRetentionMs;
}

function keyOf(...parts: readonly string[]): string {
  return parts.join("|");
}

function coarseParent(cell: string): string {
  if (!isValidCell(cell)) return "";
  return getResolution(cell) > overflowResolution ? cellToParent(cell, overflowResolution) : cell;
}

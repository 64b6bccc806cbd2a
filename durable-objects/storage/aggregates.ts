import { cellToParent, isValidCell } from "h3-js";
import {
  decodeTotals,
  emptyTotals,
  encodeTotals,
  isWindowKept,
  maximumCategories,
  overflowCategory,
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

/** Cells counted on their own; beyond, a new cell counts as its coarse parent. */
const maximumCells = 4_096;
const overflowResolution = 1;
/** Windows held in memory between transactions; others are read again when a late bid needs them. */
const maximumCachedWindows = 128;
/** Cells are written every so many entries; what came after is counted again from the entries. */
const cellsFlushEntries = 20_000;

/**
 * Aggregates in memory, written once per transaction where they changed: a row a touched
 * category and window. Cells are many and small, so they are written rarely, and those of the
 * newest entries are rebuilt from the entries, which are in the same transactions.
 */
export class StoredAggregates implements AggregateStore {
  private readonly storage: PartitionStorage;
  private readonly categories = new Map<string, CategoryTotals>();
  private readonly windows = new Map<string, Window>();
  private readonly cells = new Map<string, CellTotals>();
  private readonly changedCategories = new Set<CategoryTotals>();
  private readonly changedWindows = new Set<Window>();
  private readonly changedCells = new Set<CellTotals>();
  /** Entries up to this number are in the stored cells. */
  private cellsThrough: number;
  private prunedBefore = 0;

  constructor(storage: PartitionStorage) {
    this.storage = storage;
    type CategoryRow = { category: string; currency: string; totals: string };
    for (const row of storage.all<CategoryRow>(`SELECT * FROM categories`)) {
      this.categories.set(
        keyOf(row.category, row.currency),
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
      `SELECT value FROM bookkeeping WHERE name = 'cells_through'`,
    );
    this.cellsThrough = Number(through?.value ?? 0);
  }

  /** Entries behind this number have to be given to `countCell` again after a start. */
  get countedThrough(): number {
    return this.cellsThrough;
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
    const start = windowStart(bid.timestamp);
    if (!isWindowKept(start, streamTime)) return;
    const window = this.windowOf(start, totals.category, totals.currency);
    window.count(item.itemId, bid.data.bidderId, bid.data.amount);
    this.changedWindows.add(window);
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
    const key = keyOf(item.category, item.currency);
    const known = this.categories.get(key);
    if (known !== undefined) return known;
    const isFull = this.categories.size >= maximumCategories;
    const category = isFull ? overflowCategory : item.category;
    const overflowKey = keyOf(category, item.currency);
    const totals = this.categories.get(overflowKey) ?? emptyTotals(category, item.currency);
    this.categories.set(overflowKey, totals);
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
    for (const totals of this.changedCategories) {
      this.storage.run(
        `INSERT INTO categories VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET totals = excluded.totals`,
        totals.category,
        totals.currency,
        encodeTotals(totals),
      );
    }
    this.changedCategories.clear();
    for (const window of this.changedWindows) {
      this.storage.run(
        `INSERT INTO windows VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET window = excluded.window`,
        window.start,
        window.category,
        window.currency,
        window.encode(),
      );
    }
    this.changedWindows.clear();
    if (this.windows.size > maximumCachedWindows) this.windows.clear();
    this.pruneWindows(streamTime);
    if (lastEntry - this.cellsThrough >= cellsFlushEntries) this.flushCells(lastEntry);
  }

  private pruneWindows(streamTime: number): void {
    const before = windowStart(Math.max(0, streamTime - windowRetentionMs - windowMs));
    if (before - this.prunedBefore < 6 * windowMs) return;
    this.prunedBefore = before;
    this.storage.run(`DELETE FROM windows WHERE start < ?`, before);
  }

  private flushCells(lastEntry: number): void {
    for (const { cell, country, bids, bidders } of this.changedCells) {
      this.storage.run(
        `INSERT INTO cells VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET totals = excluded.totals`,
        cell,
        country,
        JSON.stringify({ bids, bidders: bidders.toSketch() }),
      );
    }
    this.changedCells.clear();
    this.cellsThrough = lastEntry;
    this.storage.run(
      `INSERT INTO bookkeeping VALUES ('cells_through', ?) ON CONFLICT DO UPDATE SET value = excluded.value`,
      String(lastEntry),
    );
  }

  listCategories(): readonly CategoryTotals[] {
    return [...this.categories.values()];
  }

  listCells(): readonly CellTotals[] {
    return [...this.cells.values()];
  }

  /** Windows still kept at a stream time, oldest first. */
  listWindows(streamTime: number, category: string | undefined): readonly Window[] {
    type Row = { start: number; category: string; currency: string; window: string };
    const rows = this.storage.all<Row>(
      `SELECT * FROM windows WHERE start > ? AND category = coalesce(?, category) ORDER BY start, category, currency`,
      streamTime - windowMs - windowRetentionMs,
      category ?? null,
    );
    return rows.map((row) => new Window(row.start, row.category, row.currency, row.window));
  }
}

function keyOf(...parts: readonly string[]): string {
  return parts.join("|");
}

function coarseParent(cell: string): string {
  return isValidCell(cell) ? cellToParent(cell, overflowResolution) : "";
}

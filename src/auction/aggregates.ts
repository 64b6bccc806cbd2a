import { DistinctCounter, type Sketch } from "./sketch.ts";
import type { ItemPhase, ItemState } from "./state.ts";

/** Length of the windows that are kept; longer ones are composed of them. Aligned to the epoch. */
export const windowMs = 10_000;
/** How long, in stream time, a window is kept after its end. */
export const windowRetentionMs = 3_600_000;
/** Beyond this many category and currency pairs, new categories count as `overflowCategory`. */
const maximumCategories = 1_000;
const overflowCategory = "other";
/** Items counted exactly in one window; beyond, the least counted makes room (Space-Saving). */
const maximumWindowItems = 256;
const hottestItems = 10;

/** Running counts of one category and currency. */
export interface CategoryTotals {
  readonly category: string;
  readonly currency: string;
  readonly phases: Record<ItemPhase, number>;
  bids: number;
  /** Decimal: a sum of prices passes 2^53. */
  gross: bigint;
}

export function emptyTotals(category: string, currency: string): CategoryTotals {
  const phases = { scheduled: 0, open: 0, sold: 0, unsold: 0, withdrawn: 0 };
  return { category, currency, phases, bids: 0, gross: 0n };
}

/** Names a category and currency among others. */
export function categoryKey(category: string, currency: string): string {
  return `${category}|${currency}`;
}

/** The category that an item counts in: its own, or the overflow's where there are too many already. */
export function countedCategory(
  { category, currency }: Pick<ItemState, "category" | "currency">,
  known: { has(key: string): boolean; readonly size: number },
): string {
  const isKnown = known.has(categoryKey(category, currency));
  return isKnown || known.size < maximumCategories ? category : overflowCategory;
}

export function encodeTotals(totals: CategoryTotals): string {
  return JSON.stringify({ phases: totals.phases, bids: totals.bids, gross: totals.gross.toString() });
}

export function decodeTotals(category: string, currency: string, text: string): CategoryTotals {
  const stored = JSON.parse(text) as { phases: CategoryTotals["phases"]; bids: number; gross: string };
  return { category, currency, phases: stored.phases, bids: stored.bids, gross: BigInt(stored.gross) };
}

export interface WindowHighest {
  readonly amount: number;
  readonly itemId: string;
  readonly bidderId: string;
}

/** Accepted bids of one category and currency whose own timestamps lie in one window. */
export class Window {
  readonly start: number;
  readonly category: string;
  readonly currency: string;
  bids = 0;
  highest: WindowHighest | null = null;
  readonly bidders: DistinctCounter;
  readonly items: Map<string, number>;

  constructor(start: number, category: string, currency: string, text?: string) {
    this.start = start;
    this.category = category;
    this.currency = currency;
    if (text === undefined) {
      this.bidders = new DistinctCounter();
      this.items = new Map();
      return;
    }
    const stored = JSON.parse(text) as StoredWindow;
    this.bids = stored.bids;
    this.highest = stored.highest;
    this.bidders = DistinctCounter.fromSketch(stored.bidders);
    this.items = new Map(stored.items);
  }

  count(itemId: string, bidderId: string, amount: number): void {
    this.bids += 1;
    this.bidders.add(bidderId);
    if (this.highest === null || amount > this.highest.amount) this.highest = { amount, itemId, bidderId };
    this.countItem(itemId);
  }

  /** Space-Saving (Metwally et al., 2005): a newcomer takes over the least counted item's count. */
  private countItem(itemId: string): void {
    const counted = this.items.get(itemId);
    if (counted !== undefined || this.items.size < maximumWindowItems) {
      this.items.set(itemId, (counted ?? 0) + 1);
      return;
    }
    let least = "";
    let leastCount = Number.POSITIVE_INFINITY;
    for (const [candidate, count] of this.items) {
      if (count < leastCount) [least, leastCount] = [candidate, count];
    }
    this.items.delete(least);
    this.items.set(itemId, leastCount + 1);
  }

  encode(): string {
    const { bids, highest } = this;
    return JSON.stringify({ bids, highest, bidders: this.bidders.toSketch(), items: [...this.items] });
  }
}

/** The items with the most bids, ties by id. */
export function hottestOf(
  items: ReadonlyMap<string, number>,
): { readonly itemId: string; readonly bids: number }[] {
  return [...items]
    .map(([itemId, bids]) => ({ itemId, bids }))
    .sort((left, right) => right.bids - left.bids || (left.itemId < right.itemId ? -1 : 1))
    .slice(0, hottestItems);
}

interface StoredWindow {
  readonly bids: number;
  readonly highest: WindowHighest | null;
  readonly bidders: Sketch;
  readonly items: readonly (readonly [string, number])[];
}

export function windowStart(timestamp: number): number {
  return timestamp - (timestamp % windowMs);
}

/** Whether a window is still kept at a stream time. */
export function isWindowKept(start: number, streamTime: number): boolean {
  return start + windowMs + windowRetentionMs > streamTime;
}

/** Accepted bids from one geocell. */
export interface CellTotals {
  readonly cell: string;
  readonly country: string;
  bids: number;
  readonly bidders: DistinctCounter;
}

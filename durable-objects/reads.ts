import { hottestOf, isWindowKept, windowMs } from "../src/auction/aggregates.ts";
import { toIso } from "../src/auction/outputs.ts";
import { publicHighest } from "../src/auction/item.ts";
import { isComplete, reserveMet } from "../src/auction/rules.ts";
import { DistinctCounter } from "../src/auction/sketch.ts";
import type { Entry, ItemState } from "../src/auction/state.ts";
import type { LiveItem } from "../src/live/item.ts";
import { GenerationalCache } from "../src/lib/generational-cache.ts";
import type { PartitionStorage } from "./dependencies.ts";
import type {
  BidsPage,
  BidsQuery,
  BidView,
  CategoryStats,
  CellStats,
  ItemView,
  ListEntry,
  ListPage,
  ListQuery,
  WindowQuery,
  WindowStats,
} from "./rpc.ts";
import type { StoredAuction } from "./storage/auction-store.ts";
import { decodeItem, type ItemRow } from "./storage/item-codec.ts";

/** Terms in one answer of `listItems`: pages of all partitions meet in one Worker's memory. */
const maximumPageCharacters = 1_000_000;
/** Stored windows that one answer is composed of: ten categories for the hour that they are kept. */
const maximumWindows = 3_600;
/** Rows that one call of `listItems` looks at; a filter that matches little goes on in the next call. */
const maximumScanned = 2_000;

/** One item as its readers see it; null when there is none, or when its retention is over. */
export function readItem(store: StoredAuction, partition: number, itemId: string): ItemView | null {
  const item = store.item(itemId);
  store.trim();
  return item === undefined ? null : viewOf(store, partition, item);
}

function viewOf(store: StoredAuction, partition: number, item: ItemState): ItemView {
  const { position, streamTime } = store.state;
  const { itemId, phase, highest, bids, rejected, bidders } = item;
  return {
    itemId,
    status: phase,
    item: store.terms(itemId),
    highest: highest === null ? null : publicHighest(highest),
    reserveMet: reserveMet(item),
    bids,
    rejected,
    bidders,
    closesAt: toIso(item.closesAt),
    ...(isComplete(item) ? { outcome: outcomeOf(item, partition) } : {}),
    partition,
    position,
    asOf: toIso(streamTime),
  };
}

/** One item as everybody who follows it is told it. */
export function readLiveItem(store: StoredAuction, partition: number, itemId: string): LiveItem {
  const item = store.item(itemId);
  store.trim();
  const { position, streamTime } = store.state;
  const place = { partition, position, asOf: toIso(streamTime) };
  if (item === undefined) return { itemId, sequence: 0, status: "unknown", ...place };
  const { phase, highest, bids, rejected, bidders } = item;
  return {
    itemId,
    sequence: sequenceOf(item),
    status: phase,
    highest: highest === null ? null : publicHighest(highest),
    bids,
    rejected,
    bidders,
    reserveMet: reserveMet(item),
    closesAt: toIso(item.closesAt),
    ...(isComplete(item) ? { outcome: outcomeOf(item, partition) } : {}),
    ...place,
  };
}

/**
 * Every change that is told is a bid that was judged or a phase that was entered, and none is taken back:
 * so their number rises with each of them, without being stored, and is the same after a rebuild.
 */
function sequenceOf({ phase, bids, rejected }: ItemState): number {
  const entered = phase === "scheduled" ? 1 : phase === "open" ? 2 : 3;
  return entered + bids + rejected;
}

function outcomeOf(item: ItemState, partition: number): NonNullable<ItemView["outcome"]> {
  const outcome = item.phase as "sold" | "unsold" | "withdrawn";
  const closedAt = toIso(item.closedAt ?? 0);
  if (outcome !== "sold" || item.highest === null) return { outcome, closedAt };
  const { amount, bidderId, bidId, offset } = item.highest;
  return { outcome, price: amount, winner: { bidderId, bidId, partition, offset }, closedAt };
}

/** Where the walk of a page ended, so that the next page does not walk from the newest bid again. */
export class PageCache {
  private readonly ends = new GenerationalCache<string, number>(500);

  remember(itemId: string, before: number, entry: number): void {
    this.ends.set(`${before} ${itemId}`, entry);
    this.ends.trim();
  }

  find(itemId: string, before: number): number | undefined {
    return this.ends.get(`${before} ${itemId}`);
  }
}

/** Bids of one item, newest first; null when there is no such item. */
export function readBids(
  store: StoredAuction,
  partition: number,
  { itemId, limit, before }: BidsQuery,
  pages: PageCache,
): BidsPage | null {
  const item = store.item(itemId);
  store.trim();
  if (item === undefined) return null;
  const bids: BidView[] = [];
  const known = before === undefined ? undefined : pages.find(itemId, before);
  let cursor = known ?? item.lastEntry;
  while (cursor !== 0) {
    const entry = store.entries.get(cursor);
    if (entry === undefined) break;
    const isShown = entry.kind === "bid" && (before === undefined || entry.offset < before);
    if (isShown && bids.length === limit) {
      const next = bids.at(-1)?.offset ?? 0;
      pages.remember(itemId, next, cursor);
      return { bids, next };
    }
    if (isShown) bids.push(bidViewOf(entry, partition));
    cursor = entry.previous;
  }
  return { bids };
}

function bidViewOf(entry: Entry, partition: number): BidView {
  const { bidId, bidderId, amount, timestamp, reason, offset } = entry;
  const common = { bidId, bidderId, amount, at: toIso(timestamp), partition, offset };
  return reason === null
    ? { ...common, outcome: "accepted" }
    : { ...common, outcome: "rejected", reason: reason as NonNullable<BidView["reason"]> };
}

interface Scanned {
  readonly key: number;
  readonly item: ItemState;
}

/** Open items in sort order behind `from`; looks at a bounded number of rows. */
export function listItems(
  storage: PartitionStorage,
  store: StoredAuction,
  partition: number,
  query: ListQuery,
): ListPage {
  const entries: ListEntry[] = [];
  let characters = 0;
  const rows = query.sort === "ending" ? scanEnding(storage, query) : scanNewest(storage, query);
  for (const [index, { key, item }] of rows.entries()) {
    if (matches(item, query)) {
      const view = viewOf(store, partition, item);
      entries.push({ key, view });
      characters += JSON.stringify(view.item).length;
    }
    const isFull = entries.length === query.limit || characters >= maximumPageCharacters;
    const isBounded = isFull || index === maximumScanned - 1;
    if (isBounded) return { entries, scannedTo: { key, itemId: item.itemId } };
  }
  return { entries };
}

type ScannedRow = ItemRow & { readonly sort_key: number; readonly item_id: string };

function scanEnding(storage: PartitionStorage, { from }: ListQuery): Scanned[] {
  const rows = storage.all<ScannedRow>(
    `SELECT timers.due AS sort_key, item_id, rules, state
     FROM timers JOIN items USING (item_id) JOIN terms USING (item_id)
     WHERE (timers.due, timers.item_id) > (?, ?) ORDER BY timers.due, timers.item_id LIMIT ?`,
    from?.key ?? -1,
    from?.itemId ?? "",
    maximumScanned,
  );
  return rows.map(scannedOf);
}

function scanNewest(storage: PartitionStorage, { from }: ListQuery): Scanned[] {
  const rows = storage.all<ScannedRow>(
    `SELECT open_since AS sort_key, item_id, rules, state FROM items JOIN terms USING (item_id)
     WHERE open_since IS NOT NULL AND (open_since, item_id) < (?, ?)
     ORDER BY open_since DESC, item_id DESC LIMIT ?`,
    from?.key ?? Number.MAX_SAFE_INTEGER,
    from?.itemId ?? "",
    maximumScanned,
  );
  return rows.map(scannedOf);
}

function scannedOf({ sort_key: key, item_id: itemId, ...row }: ScannedRow): Scanned {
  return { key, item: decodeItem(itemId, row) };
}

function matches(item: ItemState, { category, seller, endsBefore }: ListQuery): boolean {
  return (
    item.phase === "open" &&
    (category === undefined || item.category === category) &&
    (seller === undefined || item.sellerId === seller) &&
    (endsBefore === undefined || item.endsAt < endsBefore)
  );
}

export function categoryStats(store: StoredAuction): CategoryStats {
  const categories = store.aggregates.listCategories().map(({ category, currency, phases, bids, gross }) => ({
    category,
    currency,
    ...phases,
    bids,
    grossValue: gross.toString(),
  }));
  return { asOf: store.state.streamTime, categories };
}

/**
 * Windows of `seconds`, composed of the stored ones where they are longer. Of the newest stored
 * ones only, where there are very many: an hour of 10 s windows of ten categories is the bound.
 */
export function windowStats(
  store: StoredAuction,
  { seconds, category }: WindowQuery,
): readonly WindowStats[] {
  const length = seconds * 1_000;
  const { streamTime } = store.state;
  const composed = new Map<string, WindowStats & { counter: DistinctCounter; items: Map<string, number> }>();
  for (const window of store.aggregates.listWindows(streamTime, category, maximumWindows)) {
    if (!isWindowKept(window.start, streamTime)) continue;
    const start = length <= windowMs ? window.start : window.start - (window.start % length);
    const key = `${start} ${window.category} ${window.currency}`;
    const { category: windowCategory, currency } = window;
    const known = composed.get(key);
    const bids = (known?.bids ?? 0) + window.bids;
    const counter = known?.counter ?? new DistinctCounter();
    counter.merge(window.bidders.toSketch());
    const items = known?.items ?? new Map<string, number>();
    for (const [itemId, count] of window.items) items.set(itemId, (items.get(itemId) ?? 0) + count);
    const best = known?.highest ?? null;
    const highest = best !== null && best.amount >= (window.highest?.amount ?? 0) ? best : window.highest;
    const common = { start, category: windowCategory, currency, bids, highest, counter, items };
    composed.set(key, { ...common, bidders: { exact: [] }, hottest: [] });
  }
  return [...composed.values()].map(({ counter, items, ...window }) => ({
    ...window,
    bidders: counter.toSketch(),
    hottest: hottestOf(items),
  }));
}

export function cellStats(store: StoredAuction): readonly CellStats[] {
  return store.aggregates.listCells().map(({ cell, country, bids, bidders }) => ({
    cell,
    country,
    bids,
    bidders: bidders.toSketch(),
  }));
}

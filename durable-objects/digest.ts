import { isWindowKept } from "../src/auction/aggregates.ts";
import { bytesToHex } from "../src/lib/hex.ts";
import { hasDeparted } from "../src/auction/rules.ts";
import type { PartitionStorage } from "./dependencies.ts";
import type { StoredAuction } from "./storage/auction-store.ts";
import { decodeItem } from "./storage/item-codec.ts";

/** Rows read at a time, and lines hashed together. */
const pageRows = 1_000;

/**
 * SHA-256 over the canonical dump of the domain's tables: equal for equal state, however the
 * records came and were batched. Says nothing about how rows are packed, and treats what is due
 * to leave as gone, since when it physically leaves is housekeeping.
 */
export async function digestOf(storage: PartitionStorage, store: StoredAuction): Promise<string> {
  let digest = new Uint8Array(32);
  for (const block of blocksOf(canonicalLines(storage, store))) {
    const bytes = new TextEncoder().encode(block);
    const chained = new Uint8Array(digest.length + bytes.length);
    chained.set(digest);
    chained.set(bytes, digest.length);
    digest = new Uint8Array(await crypto.subtle.digest("SHA-256", chained));
  }
  return bytesToHex(digest);
}

function* blocksOf(lines: Iterable<string>): Generator<string> {
  let block: string[] = [];
  for (const next of lines) {
    block.push(next);
    if (block.length < pageRows) continue;
    yield `${block.join("\n")}\n`;
    block = [];
  }
  yield block.join("\n");
}

/** The dump itself, a JSON line a thing, in an order that only the state decides. */
function* canonicalLines(storage: PartitionStorage, store: StoredAuction): Generator<string> {
  const { state, aggregates } = store;
  yield line("state", { ...state, sequences: byName(state.sequences) });
  yield* itemLines(storage, store);
  for (const { offset, itemId } of store.waiting.list()) yield line("waiting", [offset, itemId]);
  for (const entry of store.entries.after(0)) {
    if (store.item(entry.itemId) !== undefined) yield line("entry", entry);
    store.trim();
  }
  for (const { category, currency, phases, bids, gross } of sorted(
    aggregates.listCategories(),
    categoryKey,
  )) {
    yield line("category", [category, currency, byName(phases), bids, gross.toString()]);
  }
  for (const window of aggregates.listWindows(state.streamTime, undefined)) {
    const { start, category, currency } = window;
    if (isWindowKept(start, state.streamTime))
      yield line("window", [start, category, currency, window.encode()]);
  }
  for (const cell of sorted(aggregates.listCells(), ({ cell: id, country }) => `${id} ${country}`)) {
    yield line("cell", [cell.cell, cell.country, cell.bids, cell.bidders.toSketch()]);
  }
}

function* itemLines(storage: PartitionStorage, store: StoredAuction): Generator<string> {
  let behind = "";
  for (;;) {
    type Row = { item_id: string; rules: string; state: string | null; withdrawn: number | null };
    const rows = storage.all<Row>(
      `SELECT item_id, rules, state, NULL AS withdrawn FROM items JOIN terms USING (item_id) WHERE item_id > ?
       UNION ALL SELECT item_id, '', NULL, withdrawn FROM tombstones WHERE item_id > ? ORDER BY item_id LIMIT ?`,
      behind,
      behind,
      pageRows,
    );
    const last = rows.at(-1);
    if (last === undefined) return;
    for (const row of rows) {
      const { item_id: itemId, rules, state } = row;
      const item = state === null ? undefined : decodeItem(itemId, { rules, state });
      if (item !== undefined && !hasDeparted(item, store.state.streamTime))
        yield line("item", [item, store.terms(item.itemId)]);
      else yield line("tombstone", [itemId, row.withdrawn === 1 || item?.phase === "withdrawn"]);
    }
    behind = last.item_id;
  }
}

function categoryKey({
  category,
  currency,
}: {
  readonly category: string;
  readonly currency: string;
}): string {
  return `${category} ${currency}`;
}

function byName(counts: Readonly<Record<string, number>>): [string, number][] {
  return sorted(Object.entries(counts), ([name]) => name);
}

function sorted<Thing>(things: readonly Thing[], keyOf: (thing: Thing) => string): Thing[] {
  return [...things].sort((left, right) => (keyOf(left) < keyOf(right) ? -1 : 1));
}

function line(kind: string, content: unknown): string {
  return JSON.stringify([kind, content]);
}

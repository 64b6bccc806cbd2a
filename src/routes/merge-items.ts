import type { ListEntry, ListPage, ListQuery } from "../../durable-objects/rpc.ts";
import type { Place } from "../lib/cursor.ts";

export interface MergedPage {
  readonly entries: readonly ListEntry[];
  /** Where the next page starts; absent at the end. */
  readonly next?: Place;
}

/**
 * One page out of every partition's page. A partition whose scan was cut short may hold anything
 * behind the place where it stopped, and so may one whose page is full behind its last entry:
 * what lies behind the first such place is left for the next page, which starts there.
 */
export function mergeItems(pages: readonly ListPage[], sort: ListQuery["sort"], limit: number): MergedPage {
  const order = sort === "ending" ? byPlace : (left: Place, right: Place) => byPlace(right, left);
  const horizon = pages
    .map((page) => knownTo(page, limit))
    .filter((place) => place !== undefined)
    .toSorted(order)[0];
  const entries = pages
    .flatMap((page) => page.entries)
    .toSorted((left, right) => order(placeOf(left), placeOf(right)));
  const known =
    horizon === undefined ? entries : entries.filter((entry) => order(placeOf(entry), horizon) <= 0);
  if (known.length > limit) {
    const last = known[limit - 1];
    return last === undefined ? { entries: [] } : { entries: known.slice(0, limit), next: placeOf(last) };
  }
  return horizon === undefined ? { entries: known } : { entries: known, next: horizon };
}

/** Up to where a page tells everything; undefined where that is the end. */
function knownTo({ entries, scannedTo }: ListPage, limit: number): Place | undefined {
  const last = entries.at(-1);
  return scannedTo ?? (entries.length >= limit && last !== undefined ? placeOf(last) : undefined);
}

function placeOf({ key, view }: ListEntry): Place {
  return { key, itemId: view.itemId };
}

/** Ids are ASCII: comparing units is comparing bytes, as SQLite does. */
function byPlace(left: Place, right: Place): number {
  return left.key - right.key || (left.itemId < right.itemId ? -1 : left.itemId > right.itemId ? 1 : 0);
}

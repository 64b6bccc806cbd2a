import fc from "fast-check";
import { expect, test } from "vitest";
import type { ListEntry, ListPage, ListQuery } from "../../../durable-objects/rpc.ts";
import type { Place } from "../../../src/lib/cursor.ts";
import { decodeCursor, encodeCursor } from "../../../src/lib/cursor.ts";
import { mergeItems } from "../../../src/routes/merge-items.ts";

interface Row {
  readonly key: number;
  readonly itemId: string;
  /** Whether a filter lets it through. */
  readonly shown: boolean;
}

const compare = (left: Place, right: Place) =>
  left.key - right.key || (left.itemId < right.itemId ? -1 : left.itemId > right.itemId ? 1 : 0);

/** One partition's answer: behind `from`, at most `limit` entries, at most `scan` rows looked at. */
function page(
  rows: readonly Row[],
  sort: ListQuery["sort"],
  limit: number,
  scan: number,
  from?: Place,
): ListPage {
  const direction = sort === "ending" ? 1 : -1;
  const behind = rows
    .filter((row) => from === undefined || compare(row, from) * direction > 0)
    .toSorted((left, right) => compare(left, right) * direction);
  const entries: ListEntry[] = [];
  for (const [index, { key, itemId, shown }] of behind.entries()) {
    if (shown) entries.push({ key, view: { itemId } as ListEntry["view"] });
    if (entries.length === limit || index === scan - 1) return { entries, scannedTo: { key, itemId } };
  }
  return { entries };
}

test("paging over partitions shows every item once, in order, whatever each partition cuts short", () => {
  const row = fc.record({ key: fc.nat(20), id: fc.nat(200), shown: fc.boolean() });
  const arbitrary = fc.array(fc.uniqueArray(row, { selector: ({ id }) => id, maxLength: 30 }), {
    minLength: 1,
    maxLength: 4,
  });
  const sorts = fc.constantFrom<ListQuery["sort"]>("ending", "newest");
  fc.assert(
    fc.property(
      arbitrary,
      sorts,
      fc.integer({ min: 1, max: 7 }),
      fc.integer({ min: 1, max: 9 }),
      (raw, sort, limit, scan) => {
        const partitions = raw.map((rows, partition) =>
          rows.map(({ key, id, shown }): Row => ({ key, itemId: `${id}-${partition}`, shown })),
        );
        const seen: string[] = [];
        let from: Place | undefined;
        do {
          const merged = mergeItems(
            partitions.map((rows) => page(rows, sort, limit, scan, from)),
            sort,
            limit,
          );
          expect(merged.entries.length).toBeLessThanOrEqual(limit);
          seen.push(...merged.entries.map(({ view }) => view.itemId));
          from = merged.next === undefined ? undefined : decodeCursor(sort, encodeCursor(sort, merged.next));
        } while (from !== undefined);
        const direction = sort === "ending" ? 1 : -1;
        const expected = partitions.flat().filter(({ shown }) => shown);
        expect(seen).toEqual(
          expected.toSorted((a, b) => compare(a, b) * direction).map(({ itemId }) => itemId),
        );
      },
    ),
  );
});

test.each(["", "x", "%%%", btoa("null"), btoa("[1,2]"), encodeCursor("newest", { key: 1, itemId: "a" })])(
  "%j is no cursor of this order",
  (cursor) => {
    expect(() => decodeCursor("ending", cursor)).toThrow("invalid-parameter");
  },
);

import { cellToParent, getResolution } from "h3-js";
import type { CategoryCounts, CategoryStats, CellStats, WindowStats } from "../../durable-objects/rpc.ts";
import { countSketch, mergeSketches } from "../auction/sketch.ts";
import { averageOf, toRawNumber } from "../lib/money.ts";
import { formatTimestamp } from "../lib/time.ts";

/** How many items a window names as its hottest. */
const mostHottest = 5;

/** The categories of all partitions, summed. `asOf` is the latest stream time, null before any record. */
export function mergeCategories(partitions: readonly CategoryStats[]) {
  const asOf = Math.max(0, ...partitions.map((partition) => partition.asOf));
  const rows = partitions.flatMap((partition) => partition.categories);
  return {
    asOf: asOf === 0 ? null : formatTimestamp(asOf),
    categories: [...groupBy(rows, ({ category, currency }) => `${category} ${currency}`).entries()]
      .toSorted(([left], [right]) => compare(left, right))
      .map(([, group]) => sumCategory(group)),
  };
}

function sumCategory(group: NonEmpty<CategoryCounts>) {
  const sum = (field: "scheduled" | "open" | "sold" | "unsold" | "withdrawn" | "bids") =>
    group.reduce((total, row) => total + row[field], 0);
  const gross = group.reduce((total, row) => total + BigInt(row.grossValue), 0n);
  const sold = sum("sold");
  return {
    category: group[0].category,
    currency: group[0].currency,
    scheduled: sum("scheduled"),
    open: sum("open"),
    sold,
    unsold: sum("unsold"),
    withdrawn: sum("withdrawn"),
    bids: sum("bids"),
    grossValue: toRawNumber(gross),
    averagePrice: averageOf(gross, sold),
  };
}

/** Each window of each category and currency once, by start, category and currency. */
export function mergeWindows(partitions: readonly (readonly WindowStats[])[]) {
  const name = ({ start, category, currency }: WindowStats) =>
    `${String(start).padStart(16, "0")} ${category} ${currency}`;
  return [...groupBy(partitions.flat(), name).entries()]
    .toSorted(([left], [right]) => compare(left, right))
    .map(([, group]) => ({
      start: formatTimestamp(group[0].start),
      category: group[0].category,
      currency: group[0].currency,
      bids: group.reduce((total, window) => total + window.bids, 0),
      ...countBidders(group),
      highest: highestOf(group),
      hottest: group
        .flatMap((window) => window.hottest)
        .toSorted((left, right) => right.bids - left.bids || compare(left.itemId, right.itemId))
        .slice(0, mostHottest),
    }));
}

function highestOf(group: readonly WindowStats[]): WindowStats["highest"] {
  return (
    group
      .map((window) => window.highest)
      .filter((highest) => highest !== null)
      .toSorted((left, right) => right.amount - left.amount || compare(left.itemId, right.itemId))[0] ?? null
  );
}

/** Each cell of each country once, at most as fine as `resolution`, the busiest first. */
export function mergeCells(partitions: readonly (readonly CellStats[])[], resolution: number) {
  const coarse = partitions.flat().map((entry) => ({ ...entry, cell: coarsen(entry.cell, resolution) }));
  return [...groupBy(coarse, ({ cell, country }) => `${cell} ${country}`).values()]
    .map((group) => ({
      cell: group[0].cell,
      country: group[0].country,
      bids: group.reduce((total, entry) => total + entry.bids, 0),
      ...countBidders(group),
    }))
    .toSorted((left, right) => right.bids - left.bids || compare(left.cell, right.cell));
}

function coarsen(cell: string, resolution: number): string {
  return getResolution(cell) > resolution ? cellToParent(cell, resolution) : cell;
}

/** Distinct bidders of several partitions: nobody is counted twice. An estimate says so. */
function countBidders(group: readonly Pick<WindowStats, "bidders">[]) {
  const { count, estimate } = countSketch(mergeSketches(group.map((entry) => entry.bidders)));
  return estimate ? { bidders: count, biddersEstimated: true } : { bidders: count };
}

type NonEmpty<Value> = [Value, ...Value[]];

function groupBy<Value>(
  values: readonly Value[],
  name: (value: Value) => string,
): Map<string, NonEmpty<Value>> {
  const groups = new Map<string, NonEmpty<Value>>();
  for (const value of values) {
    const group = groups.get(name(value));
    if (group === undefined) groups.set(name(value), [value]);
    else group.push(value);
  }
  return groups;
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

import { z } from "zod";
import { categoryKey, countedCategory } from "../auction/aggregates.ts";
import type { ItemPhase, ItemState } from "../auction/state.ts";
import { mergeCategories } from "../routes/merge-stats.ts";
import type { Decision, DecisionAnalysis } from "./analysis.ts";

interface Totals extends Record<ItemPhase, number> {
  readonly category: string;
  readonly currency: string;
  bids: number;
  /** Decimal: a sum of prices passes 2^53. */
  grossValue: string;
}

interface State {
  /** Highest timestamp seen, 0 before the first. */
  streamTime: number;
  /** By category and currency, as many as the live aggregates tell apart. */
  readonly totals: Record<string, Totals>;
}

/**
 * Counts the auctions of a stretch anew, by category: over the whole of the journal what
 * `GET /v1/stats/categories` answers at the same positions, in the same form.
 */
export const categoryTotals: DecisionAnalysis<object, State> = {
  reads: "decisions",
  topics: ["journal"],
  parameters: z.strictObject({}),
  start: () => ({ streamTime: 0, totals: {} }),

  apply(state, decision: Decision) {
    if (decision.kind === "applied") {
      state.streamTime = decision.streamTime;
    } else if (decision.kind === "judged") {
      const { item, entry } = decision;
      if (entry.kind === "bid" && entry.reason === null) totalsOf(state, item).bids += 1;
    } else {
      const { item, from, price } = decision;
      const totals = totalsOf(state, item);
      if (from !== null) totals[from] -= 1;
      totals[item.phase] += 1;
      if (price !== null) totals.grossValue = sum(totals.grossValue, String(price));
    }
  },

  merge(merged, state) {
    merged.streamTime = Math.max(merged.streamTime, state.streamTime);
    for (const [key, more] of Object.entries(state.totals)) {
      const totals = (merged.totals[key] ??= noTotals(more.category, more.currency));
      for (const count of ["scheduled", "open", "sold", "unsold", "withdrawn", "bids"] as const)
        totals[count] += more[count];
      totals.grossValue = sum(totals.grossValue, more.grossValue);
    }
    return merged;
  },

  result: ({ streamTime, totals }) =>
    mergeCategories([{ asOf: streamTime, categories: Object.values(totals) }]),
};

function totalsOf({ totals }: State, item: ItemState): Totals {
  const own = totals[categoryKey(item.category, item.currency)];
  if (own !== undefined) return own;
  const known = {
    has: (key: string) => Object.hasOwn(totals, key),
    size: Object.keys(totals).length,
  };
  const category = countedCategory(item, known);
  return (totals[categoryKey(category, item.currency)] ??= noTotals(category, item.currency));
}

function noTotals(category: string, currency: string): Totals {
  const phases = { scheduled: 0, open: 0, sold: 0, unsold: 0, withdrawn: 0 };
  return { category, currency, ...phases, bids: 0, grossValue: "0" };
}

function sum(left: string, right: string): string {
  return String(BigInt(left) + BigInt(right));
}

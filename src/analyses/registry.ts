import type { Analysis } from "./analysis.ts";
import { categoryTotals } from "./category-totals.ts";
import { eventRates } from "./event-rates.ts";
import { whatIf } from "./what-if.ts";

/** Every analysis by its name. To add one is an entry here and a file beside this one. */
const declared = {
  "category-totals": categoryTotals,
  "event-rates": eventRates,
  "what-if": whatIf,
} satisfies Record<string, Analysis>;

export type AnalysisName = keyof typeof declared;

export const analyses: Readonly<Record<AnalysisName, Analysis>> = declared;

export const analysisNames = Object.keys(declared) as AnalysisName[];

import { eventTypes } from "../../topics.ts";
import type { Declaration } from "../declare.ts";
import { createMarketAnalysis } from "./market-analysis.ts";
import { createParticipation, participationTypes } from "./participation.ts";
import type { AnalysedSets } from "./sets.ts";

/**
 * How both are driven. Each waits for another group, which as a rule is a moment behind: hence a
 * second's wait for company, the partition's order, in which one record waits for all behind it and
 * costs the only row, and as many attempts as a week has room for.
 */
const patiently = {
  order: "partition",
  batch: { count: 500, waitMs: 1_000 },
  concurrency: 1,
  timeoutMs: 30_000,
  retry: { attempts: 20_000, maximumAgeMs: 7 * 86_400_000, firstDelayMs: 1_000, longestDelayMs: 60_000 },
} satisfies Partial<Declaration>;

/** `market` as the topology drives it. */
export function marketAnalysis(analysed: readonly AnalysedSets[]): Declaration {
  return {
    ...patiently,
    create: (services) => createMarketAnalysis(services, analysed),
    filter: { types: [eventTypes.itemCompleted] },
  };
}

/** `participation` as the topology drives it. */
export function participation(analysed: readonly AnalysedSets[]): Declaration {
  return {
    ...patiently,
    create: (services) => createParticipation(services, analysed),
    filter: { types: participationTypes },
  };
}

import type { BidderSummary } from "./bidder-counts.ts";
import type { PriceDistribution } from "./price-tally.ts";

/** What a run found: what `GET /v1/analyses/{id}` answers, beside the id and what runs now. */
export interface AnalysisResult {
  readonly category: string;
  readonly attribute?: { readonly name: string; readonly value: string };
  /** Every auction that the read model had by then is counted. */
  readonly asOf: string;
  readonly auctions: number;
  readonly sold: number;
  readonly unsold: number;
  readonly withdrawn: number;
  /** Of what was not withdrawn; null of nothing. */
  readonly sellThrough: number | null;
  /** How many there are; `prices` has at most 20 of them. */
  readonly currencies: number;
  /** The currency with the most auctions first. */
  readonly prices: readonly PriceDistribution[];
  readonly bidders: BidderSummary & {
    /** What `pairs` is where every bidder of every auction is known. */
    readonly expectedPairs: number;
  };
  readonly run: FinishedRun;
}

export interface FinishedRun {
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly slices: number;
  /** Rows that it read. */
  readonly rows: number;
}

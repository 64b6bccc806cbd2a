import type { Counts } from "../../src/metrics/request-metrics.ts";

/** The one object that adds up what the isolates count. */
export const metersName = "meters";

/** What an isolate counted in a few seconds. */
export interface MeterBatch {
  /** 1, 2, 3, … of one isolate: one that comes again counts once. */
  readonly sequence: number;
  readonly counts: Counts;
}

export interface MeterAnswer {
  /** How long the isolate is to wait for its next hand-over at least: the more there are, the longer. */
  readonly waitMs: number;
}

export interface MetersRpc {
  /** @param isolate the same for all of its batches, and no other's */
  add(isolate: string, batches: readonly MeterBatch[]): Promise<MeterAnswer>;
  /** Totals since the object's beginning, all of them on disk when they are told. */
  totals(): Promise<Counts>;
}

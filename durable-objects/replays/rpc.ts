import type { RequestIds } from "../../src/lib/log.ts";
import type { AnalysisName } from "../../src/analyses/registry.ts";
import type {
  ConclusionProgress,
  PartProgress,
  ReplayFailure,
  ReplaySettings,
  ReplayView,
  Stretch,
} from "../../src/replays/replay.ts";

/** The one object that keeps all replays and drives those that run. */
export const catalogName = "replays";

/** Names of a replay's own objects: one reads a partition, one concludes. */
export const partName = (id: string, partition: number) => `${id}/${partition}`;
export const conclusionName = (id: string) => `${id}/result`;

/**
 * What the objects of replays answer, by RPC. Every argument and answer is structured-cloneable;
 * failures that a caller can act on are values, and an exception means that the object itself failed.
 */
export interface ReplayCatalogRpc {
  /**
   * Once for an id: the same again answers what there is.
   * @param asker the request that asks for it, for its audit line; likewise below
   */
  start(settings: ReplaySettings, stretches: readonly Stretch[], asker?: RequestIds): Promise<StartAnswer>;
  /** The newest first; without results. */
  list(limit: number): Promise<readonly ReplayView[]>;
  get(id: string): Promise<ReplayView | null>;
  /** Ends a replay that runs; one that has ended stays as it is. Null where there is none. */
  cancel(id: string, credential: string, asker?: RequestIds): Promise<ReplayView | null>;
}

/** `full`: as many run as may. */
export type StartAnswer = { readonly kind: "started"; readonly view: ReplayView } | { readonly kind: "full" };

export interface ReplayPartRpc {
  /** Reads on for a slice; calls that come meanwhile have their turn behind it. */
  read(order: ReadOrder): Promise<ReadAnswer>;
  /** The analysis's state as JSON; null where nothing was read, or everything was discarded. */
  state(): Promise<string | null>;
  /** Deletes everything that the object has. */
  discard(): Promise<void>;
}

export interface ReplayConclusionRpc {
  /** Merges and computes for a slice. */
  conclude(order: ConclusionOrder): Promise<ConclusionAnswer>;
  discard(): Promise<void>;
}

interface Order {
  readonly analysis: AnalysisName;
  readonly parameters: unknown;
}

export interface ReadOrder extends Order, Stretch {
  /** As the log names it. */
  readonly topic: string;
  readonly partition: number;
  /** How long a slice goes on. */
  readonly milliseconds: number;
  /** A slice ends when it has read so many: the last answer of the log may bring more. */
  readonly bytes: number;
}

export type ReadProgress = Omit<PartProgress, "waiting" | "isBegun">;

export type ReadAnswer =
  | { readonly kind: "read"; readonly progress: ReadProgress }
  /** What is there was read, and what comes next does not come for now. */
  | { readonly kind: "waits"; readonly progress: ReadProgress; readonly reason: string }
  | { readonly kind: "failed"; readonly failure: ReplayFailure };

export interface ConclusionOrder extends Order {
  /** Partitions whose parts have something to merge. */
  readonly partitions: readonly number[];
}

export type ConclusionAnswer =
  | { readonly kind: "goes-on"; readonly progress: Omit<ConclusionProgress, "waiting"> }
  | { readonly kind: "done"; readonly progress: Omit<ConclusionProgress, "waiting">; readonly result: string }
  | { readonly kind: "failed"; readonly failure: ReplayFailure };

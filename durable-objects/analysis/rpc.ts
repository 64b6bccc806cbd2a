/** What the object of one analysis answers, by RPC. */
export interface AnalysisRpc {
  /** Marks the set as to be run, once for all who ask before the run begins. */
  request(): Promise<void>;
  runStatus(): Promise<RunStatus>;
}

/** `waiting`: a run is asked for and has not begun. */
export type RunStatus =
  | { readonly status: "idle" | "waiting" }
  | { readonly status: "running"; readonly startedAt: number; readonly slices: number };

import type { AnalysisName } from "../analyses/registry.ts";

/** Replays that may run at a time. */
export const mostRunning = 2;
/** How long a result is kept, in milliseconds. */
export const keptMs = 7 * 24 * 3_600_000;
/** Replays that are kept: beyond, the oldest finished ones make room. */
export const mostKept = 500;

/** The part of one partition that is read: from an offset up to one that is not part of it. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** A replay as it was asked for, once everything in it was checked and its stretches were looked up. */
export interface ReplaySettings {
  /** A UUID version 7: ids sort in the order in which replays were asked for. */
  readonly id: string;
  readonly analysis: AnalysisName;
  /** As clients name it. */
  readonly topic: string;
  /** As the log names it. */
  readonly logTopic: string;
  /** As the analysis's schema left them, defaults put in. */
  readonly parameters: unknown;
  /** As they were asked for; absent where they were not. */
  readonly from?: unknown;
  readonly to?: unknown;
  readonly maximumRecords: number;
  readonly maximumBytes: number;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** Id of the credential. */
  readonly createdBy: string;
}

export type ReplayStatus = "running" | "done" | "cancelled" | "failed";

/** Why a replay ended without a result: `detail` is for whoever asked. */
export interface ReplayFailure {
  readonly code:
    | "analysis"
    | "maximum-bytes"
    | "topic-replaced"
    | "state-too-large"
    | "too-long"
    | "internal";
  readonly detail: string;
}

/** Why something does not go on for now. */
export interface Waiting {
  readonly reason: string;
  /** How often in a row; and when it is tried again, in milliseconds since the epoch. */
  readonly failures: number;
  readonly retryAt: number;
}

/** How far one partition was read. */
export interface PartProgress extends Stretch {
  readonly partition: number;
  /** Next offset to read; at `to` there is none. */
  readonly position: number;
  readonly records: number;
  /** Of keys and values in UTF-8, and of headers. */
  readonly bytes: number;
  /** Offsets of the stretch that the log deleted before they were read. */
  readonly lostOffsets: number;
  /** Whether its object was ever called, and may have something. */
  readonly isBegun: boolean;
  readonly waiting?: Waiting;
}

/** How far the merged result is: partitions merged, then steps of the analysis's work. */
export interface ConclusionProgress {
  readonly merged: number;
  readonly step: number;
  readonly steps: number;
  readonly waiting?: Waiting;
}

export interface ReplayView extends ReplaySettings {
  readonly status: ReplayStatus;
  readonly failure?: ReplayFailure;
  readonly finishedAt?: number;
  readonly parts: readonly PartProgress[];
  readonly conclusion: ConclusionProgress;
  /** JSON, of a replay that is done. */
  readonly result?: string;
}

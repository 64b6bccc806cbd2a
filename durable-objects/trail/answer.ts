import type { OutputTopic } from "../../src/auction/state.ts";
import type { Fate } from "./steps.ts";

/** What a partition knows of the recent events with an id: where they are in the log, and when what was done. */
export interface TrailAnswer {
  /** Next journal offset to apply. */
  readonly position: number;
  /** First items offset that is not in the journal, as far as that was read. */
  readonly itemsPosition: number;
  /** Newest first. An id is known by a hash: whoever follows one looks at the record. */
  readonly steps: readonly TrailStep[];
}

/** One record of the journal that may be the event's. */
export interface TrailStep {
  readonly offset: number;
  /** When it was applied, in milliseconds since the epoch. */
  readonly appliedAt: number;
  readonly fate: Fate;
  readonly isDuplicate: boolean;
  /** What its record made, a topic an entry: also of other items, which its time closed. */
  readonly outputs: readonly TrailOutputs[];
  /** What decided it; absent while it waits for its item. */
  readonly decided?: TrailDecision;
}

/** Its own record, or of an event that had waited the one that opened its item or ended its wait. */
export interface TrailDecision {
  /** Offset of the record. */
  readonly by: number;
  readonly at: number;
  /** What another record made: of this event and of others. */
  readonly outputs: readonly TrailOutputs[];
}

/** Outputs of one record in one topic. */
export interface TrailOutputs {
  readonly topic: OutputTopic;
  /** Of the first. */
  readonly sequence: number;
  readonly count: number;
  /** How many of them, from the last, the log has not acknowledged. */
  readonly unsent: number;
  /** Where the log has them, as far as that is known and of the first ones only. */
  readonly stretches: readonly OutputStretch[];
  /** Where they may be at the earliest, should it not be known. */
  readonly notBefore: number;
}

export interface OutputStretch {
  readonly sequence: number;
  readonly offset: number;
  readonly count: number;
  /** When the log acknowledged them, in milliseconds since the epoch. */
  readonly at: number;
}

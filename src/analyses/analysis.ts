import type { z } from "zod";
import type { Entry, ItemPhase, ItemState } from "../auction/state.ts";
import type { LogRecord } from "../kafka/port.ts";
import type { TopicRole } from "../topics.ts";

/**
 * A question that is put to a stretch of the log: a fold over what is read of one partition, a merge
 * of what the partitions have, and a result.
 *
 * Pure: nothing but what is passed in decides, so that a stretch that is read again after a crash, in
 * other slices, gives the same. A state is plain JSON, changed in place, and bounded whatever is read.
 */
interface Question<Parameters, State> {
  /** Topics that it can be put to; the first is meant where none is named. */
  readonly topics: readonly [TopicRole, ...TopicRole[]];
  readonly parameters: z.ZodType<Parameters>;
  start(parameters: Parameters): State;
  /** The state of one more partition taken into what was merged before. */
  merge(merged: State, state: State, parameters: Parameters): State;
  /** What is left to compute once everything is merged, where that is too much for one slice. */
  work?(merged: State, parameters: Parameters): Work;
  result(merged: State, parameters: Parameters): object;
}

/** Takes a topic's records as they are, in offset order. */
export interface RecordAnalysis<Parameters, State> extends Question<Parameters, State> {
  readonly reads: "records";
  /** @throws {AnalysisError} */
  apply(state: State, record: LogRecord, parameters: Parameters): void;
}

/**
 * Takes what the auctions' reducer decides by the journal, in its order. The reducer runs in storage
 * of the replay's own, and knows of what happened before the stretch nothing.
 */
export interface DecisionAnalysis<Parameters, State> extends Question<Parameters, State> {
  readonly reads: "decisions";
  /** @throws {AnalysisError} */
  apply(state: State, decision: Decision, parameters: Parameters): void;
}

/** An analysis whose parameters and state nobody but itself looks into. */
export type Analysis = RecordAnalysis<unknown, unknown> | DecisionAnalysis<unknown, unknown>;

export type Decision =
  /** An item came into a phase, from another one or, when it opened, from nothing; `price` of what is sold. */
  | {
      readonly kind: "moved";
      readonly item: ItemState;
      readonly from: ItemPhase | null;
      readonly price: number | null;
    }
  /** A bid or withdrawal was judged; what was refused for want of its item is no part of this. */
  | { readonly kind: "judged"; readonly item: ItemState; readonly entry: Entry }
  /** A record has had all its effects. */
  | { readonly kind: "applied"; readonly streamTime: number };

/** Steps of bounded work, numbered from 0. */
export interface Work {
  readonly steps: number;
  /** As many steps as take a few milliseconds together: others have their turn behind them. */
  readonly stepsAtOnce: number;
  /** Makes one step, in the state that the work was made for. */
  readonly run: (step: number) => void;
}

/** The analysis cannot answer by what it reads; the message is for whoever asked. */
export class AnalysisError extends Error {
  override readonly name = "AnalysisError";
}

import type { LogGap } from "../../src/auction/state.ts";
import type { DeadLetterEntry } from "./dead-letter-index.ts";
import type { ParkedEntry, ParkedPlace } from "./delivery-store.ts";
import type { TopicRole } from "../../src/topics.ts";
import type { PushBatch } from "../rpc.ts";

/** What the object of a group of functions and a partition answers, by RPC. */
export interface FunctionGroupRpc {
  /** Hands over acknowledged records of the group's topic; resolves at once. */
  push(batch: PushBatch<TopicRole>): Promise<{ readonly position: number }>;
  functionGroupStatus(): Promise<FunctionGroupStatus>;
  /** Catches up with the log; the sweep calls it where a partition lags. */
  wakeFunctions(): Promise<FunctionGroupStatus>;
  /** There is a new version of the subscriptions that the group delivers to. */
  subscriptionsChanged(version: number): Promise<void>;
  setPaused(isPaused: boolean): Promise<void>;
  /** Begins again at an offset: what lies behind it is delivered again, under the ids that it had. */
  seek(offset: number, maySkip: boolean): Promise<SeekAnswer>;
  /** Records that wait for a retry, or behind one, each function's in offset order. */
  parked(limit: number, after?: ParkedPlace): Promise<readonly ParkedEntry[]>;
  /** Has what is parked of a key called as soon as may be; answers how many records. */
  retryParked(key: string): Promise<number>;
  /** Ends what is parked of a key as dead letters; answers how many records. */
  skipParked(key: string): Promise<number>;
  /** Newest first. @param before only those with lower ids */
  deadLetters(limit: number, before?: number): Promise<readonly DeadLetterEntry[]>;
  redrive(ids: readonly number[] | "all"): Promise<Redriven>;
  /**
   * What each function has made of each of some offsets of the group's topic, at most 1,000. One that
   * is too old to be remembered is left out.
   */
  callsOf(offsets: readonly number[]): Promise<readonly CallRecord[]>;
}

/** What a function has made of a record. */
export interface CallRecord {
  readonly function: string;
  readonly offset: number;
  /** Attempts that count, one under way included; 0 where it was not called. */
  readonly attempts: number;
  /**
   * `running`: a call is under way. `waiting`: for its turn. `parked`: for a retry, or behind another of
   * its key. `skipped`: it was never called for: its filter does not take the record, the record
   * repeats one before it, or it lies before where the function began. `not-yet`: not handed to it so far.
   */
  readonly status: "done" | "running" | "waiting" | "parked" | "dead-lettered" | "skipped" | "not-yet";
  /** Of the last call, in milliseconds since the epoch; of the first one where it is tried again. */
  readonly startedAt?: number;
  readonly endedAt?: number;
}

export type SeekAnswer =
  | { readonly kind: "done"; readonly from: number; readonly to: number }
  /** It would leave out what is not finished, from this position on. */
  | { readonly kind: "skips"; readonly position: number }
  /** The log ends before it. */
  | { readonly kind: "beyond"; readonly end: number }
  /** Calls are under way that do not end, or another seek is. */
  | { readonly kind: "busy" };

export interface Redriven {
  readonly redriven: number;
  /** Dead letters that are still kept. */
  readonly left: number;
}

export interface FunctionGroupStatus {
  readonly group: string;
  readonly partition: number;
  /** As named in the log. */
  readonly topic: string;
  readonly topicId?: string;
  /** Next offset that no function has been handed. */
  readonly position: number;
  /** Null while there is more to be read. */
  readonly endOffset: number | null;
  /** The log's time of the last record that was read, in milliseconds since the epoch; 0 before the first. */
  readonly readTime: number;
  readonly isPaused: boolean;
  /** Outputs and dead letters not yet acknowledged by the log. */
  readonly outbox: number;
  readonly deadLettered: number;
  readonly lostOffsets: number;
  readonly lastLoss?: LogGap;
  readonly functions: readonly FunctionStatus[];
  /** Why the partition does not move, in a plain sentence; absent when it does. */
  readonly stalled?: string;
}

export interface FunctionStatus {
  readonly name: string;
  /** First offset that is neither finished nor parked. */
  readonly position: number;
  /** Next offset to be handed to it; before the group's position while it is behind. */
  readonly next: number;
  readonly parked: number;
  readonly inFlight: number;
  /** Lowest offset that is not finished, parked ones included; absent where all are. */
  readonly oldestUnfinished?: number;
  readonly circuit?: { readonly openedAt: number; readonly probeAt: number; readonly reason: string };
  /** Why nothing more is handed to it; absent while something is. */
  readonly full?: string;
}

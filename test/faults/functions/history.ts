import type { DeadLetterEntry } from "../../../durable-objects/functions/dead-letter-index.ts";
import type { SeekAnswer } from "../../../durable-objects/functions/rpc.ts";

export interface ReceivedRecord {
  readonly offset: number;
  readonly key: string;
  readonly id: string;
  readonly attempt: number;
}

export interface ReceivedCall {
  readonly kind: "call";
  readonly function: string;
  readonly at: number;
  readonly records: readonly ReceivedRecord[];
}

/** A record that was done or refused. */
export interface Decision extends ReceivedRecord {
  readonly kind: "decision";
  readonly function: string;
  readonly at: number;
  readonly verdict: "done" | "refused";
}

/**
 * The log was away and nothing was done; or the object was reset on the way, and nobody knows
 * whether it was done.
 */
export type Untold = "failed" | "unknown";

/** An operator's change of what has been done with records. While it goes on it may take effect at any moment. */
export type Change =
  | { readonly kind: "seek"; readonly offset: number; readonly answer: SeekAnswer | Untold }
  | {
      readonly kind: "redrive";
      readonly entries: readonly DeadLetterEntry[];
      /** How many of them were taken back. */
      readonly answer: number | Untold;
    };

type WithoutAnswer<Any> = Any extends unknown ? Omit<Any, "answer"> : never;

/** What happened outside the object, in its order. Times are virtual milliseconds since the epoch. */
export type Happening =
  | ReceivedCall
  | Decision
  | { readonly kind: "change began"; readonly change: WithoutAnswer<Change> }
  | { readonly kind: "change ended"; readonly change: Change; readonly began: number; readonly at: number }
  | { readonly kind: "wiped"; readonly at: number };

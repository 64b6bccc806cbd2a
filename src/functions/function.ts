import type { RecordHeader } from "../kafka/port.ts";
import type { Filter } from "./filter.ts";

/** A record as a function gets it, at one of its attempts. */
export interface FunctionRecord {
  /** `{topic}/{partition}/{offset}/{function}`: the same at every attempt, so that an effect can be made once. */
  readonly id: string;
  /** As named in the log. */
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  readonly key: string;
  /** What the log holds, as a rule JSON. */
  readonly value: string;
  readonly headers: readonly RecordHeader[];
  /** The trace that the record carries, continued with a span of this call (W3C); absent without a valid one. */
  readonly traceparent?: string | undefined;
  readonly tracestate?: string | undefined;
  /** 1 at the first. */
  readonly attempt: number;
}

/** One call of a function: records in offset order, of one key or of several. */
export interface Invocation {
  readonly group: string;
  readonly function: string;
  readonly records: readonly FunctionRecord[];
  /** Milliseconds since the epoch; what is not answered by then is tried again. */
  readonly deadline: number;
  /** Aborted at the deadline. */
  readonly signal: AbortSignal;
}

/** An event that an in-band function makes of a record; sent in the transaction that finishes the record. */
export interface FunctionOutput {
  readonly topic: "validated";
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/**
 * What becomes of one record. Of records of one key, those behind one that is tried again are called
 * again with it, whatever was answered for them: the order holds.
 */
export type Outcome =
  | { readonly status: "done"; readonly outputs?: readonly FunctionOutput[] }
  | { readonly status: "retry"; readonly reason: string; readonly delayMs?: number }
  | { readonly status: "reject"; readonly reason: string };

/** A call failed as a whole, as a call with other records would: a time-out, no connection, 429, 5xx. */
export interface CallFailure {
  readonly reason: string;
  /** The endpoint asked for so long a pause, in milliseconds. */
  readonly delayMs?: number;
  /** It was none of the records: any other would have met it as well (429, 503, a redirect). */
  readonly isGeneral?: boolean;
}

export interface InvocationResult {
  /** One a record, in the records' order; where there is none, the record is tried again. */
  readonly outcomes: readonly (Outcome | undefined)[];
  /** Counts towards the circuit. Records without an outcome are tried again. */
  readonly failure?: CallFailure;
  /** Whoever is called wants no more calls (HTTP 410): the function is disabled and its records are left. */
  readonly isGone?: boolean;
}

/** Calls a function. A rejection is a failure of the call as a whole. */
export type Invoke = (invocation: Invocation) => Promise<InvocationResult>;

/** How a function is driven. */
export interface FunctionSettings {
  /** `key`: one call at a time for a key, keys side by side. `partition`: one call at a time. */
  readonly order: "partition" | "key" | "none";
  /** Records that it does not select cost no call. */
  readonly filter?: Filter;
  readonly batch: {
    /** Records of one call at most. */
    readonly count: number;
    /** Characters of their values at most; a single record may be larger. */
    readonly characters: number;
    /** How long a record may wait for company, in milliseconds. */
    readonly waitMs: number;
    /** Whether one call may carry records of several keys. */
    readonly mixesKeys: boolean;
  };
  /** Calls at a time in one partition. */
  readonly concurrency: number;
  /** Of one call, in milliseconds. */
  readonly timeoutMs: number;
  readonly retry: {
    /** Attempts of a record at most; then it is a dead letter. */
    readonly attempts: number;
    /** From a record's first attempt on, in milliseconds: one that fails behind it is a dead letter. */
    readonly maximumAgeMs: number;
    /** The first delay and the longest, in milliseconds; each is drawn from zero to it (full jitter). */
    readonly firstDelayMs: number;
    readonly longestDelayMs: number;
  };
  /** What may be parked (wait for a retry, or behind one) before the position stops moving, in one partition. */
  readonly budget: { readonly records: number; readonly characters: number };
  readonly circuit: {
    /** Failures of whole calls in a row that open it. */
    readonly failures: number;
    /** The first wait for a probe and the longest, in milliseconds. */
    readonly firstProbeMs: number;
    readonly longestProbeMs: number;
  };
}

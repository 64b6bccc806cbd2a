/** What a receiver of deliveries saw, kept outside of the system. */

/**
 * What the receiver answered for one record: `unanswered` where the caller cannot have heard the
 * end of it, since nothing was said, or the connection broke.
 */
export type Verdict = "done" | "retry" | "reject" | "unanswered";

/** W3C Trace Context, as it came. */
export interface Trace {
  readonly traceparent: string;
  readonly tracestate: string;
}

/** One record in one call. */
export interface Delivery {
  /** `{topic}/{partition}/{offset}/{function}`. */
  readonly id: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  readonly attempt: number;
  /** The event's own attributes. */
  readonly trace?: Trace;
  readonly verdict: Verdict;
}

/** One request, from when its body was there until it was answered or gone. */
export interface ReceivedCall {
  readonly number: number;
  /** The path that was called: one for each function. */
  readonly endpoint: string;
  /** The `webhook-id`. */
  readonly id: string;
  /** The request's headers. */
  readonly trace?: Trace;
  /** Begins and ends of all calls count on together, so that their order is known exactly. */
  readonly began: number;
  /** Absent while it is not answered. */
  readonly ended?: number;
  /** Milliseconds since the epoch. */
  readonly beganAt: number;
  readonly endedAt?: number;
  readonly deliveries: readonly Delivery[];
}

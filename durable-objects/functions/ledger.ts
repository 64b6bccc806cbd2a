import type { InvocationResult } from "../../src/functions/function.ts";
import type { OpenCircuit } from "./circuit.ts";
import type { Pending } from "./pending.ts";
import { fromRanges, toRanges } from "./ranges.ts";

/** Attempts of records that have no row of their own, a stretch of offsets an entry. */
type AttemptedStretch = readonly [
  from: number,
  to: number,
  attempts: number,
  notBefore: number,
  firstAttemptAt: number,
];

/** A call that was under way: what it carried, in ranges. */
type StoredCall = readonly [startedAt: number, deadline: number, offsets: readonly number[]];

/** What is stored of one function on one partition, in one row that is written as a whole. */
export interface Ledger {
  /** First offset that is neither finished nor parked; null: wherever the group's position is. */
  readonly position: number | null;
  /** Highest sequence of the topic's writer before the position. */
  readonly sequence: number;
  /** Finished behind the position, as ranges. */
  readonly finished: readonly number[];
  readonly calls: readonly StoredCall[];
  readonly attempted: readonly AttemptedStretch[];
  /** Until then calls from before the object ended may still run, in milliseconds since the epoch. */
  readonly quietUntil?: number;
  /** Until then such a call may run of a record that the log has deleted. */
  readonly goneUntil?: number;
  readonly circuit?: OpenCircuit;
  readonly failing?: Failing;
  /** Nothing is called until it is enabled. */
  readonly disabled?: Disabled;
}

/** Of what was called since then, in milliseconds since the epoch, nothing was done; it failed last at `at`. */
export interface Failing {
  readonly since: number;
  readonly at: number;
  readonly reason: string;
}

/** What fails less often than that does not fail steadily. */
const steadyMs = 86_400_000;

/** What is known behind a call. @param before what was known */
export function failingAfter(
  before: Failing | undefined,
  { failure, outcomes }: Pick<InvocationResult, "failure" | "outcomes">,
  now: number,
): Failing | undefined {
  if (outcomes.some((outcome) => outcome?.status === "done")) return undefined;
  const [reason = "no answer"] = outcomes.flatMap((outcome) =>
    outcome === undefined || outcome.status === "done" ? [] : outcome.reason,
  );
  const since = before !== undefined && now - before.at < steadyMs ? before.since : now;
  return { since, at: now, reason: failure?.reason ?? reason };
}

export interface Disabled {
  readonly reason: string;
  /** In milliseconds since the epoch. */
  readonly at: number;
  /** It was found here and is still to be told to whoever keeps the functions. */
  readonly isUntold?: true;
}

/** When the last of the calls that were under way when the object ended is over; 0 where none was. */
export function quietUntilOf({ calls, quietUntil = 0 }: Ledger): number {
  return calls.reduce((latest, [, deadline]) => Math.max(latest, deadline), quietUntil);
}

export interface Interrupted {
  readonly attempts: number;
  readonly notBefore: number;
  readonly firstAttemptAt: number;
}

/**
 * What is known of records that were in flight when the object ended. A call may still run until
 * its deadline, so that nothing of it is called before; and it counts as an attempt, since it may
 * be what ended the object.
 */
export function interruptedOf({ attempted, calls }: Ledger): Map<number, Interrupted> {
  const interrupted = new Map<number, Interrupted>();
  for (const [from, to, attempts, notBefore, firstAttemptAt] of attempted) {
    for (let offset = from; offset <= to; offset += 1)
      interrupted.set(offset, { attempts, notBefore, firstAttemptAt });
  }
  for (const [startedAt, deadline, offsets] of calls) {
    for (const offset of fromRanges(offsets)) {
      const before = interrupted.get(offset);
      interrupted.set(offset, {
        attempts: (before?.attempts ?? 0) + 1,
        notBefore: deadline,
        firstAttemptAt: before?.firstAttemptAt ?? startedAt,
      });
    }
  }
  return interrupted;
}

export function storedCall(call: {
  readonly startedAt: number;
  readonly deadline: number;
  readonly records: readonly Pending[];
}): StoredCall {
  return [call.startedAt, call.deadline, toRanges(call.records.map(({ offset }) => offset))];
}

export type Attempted = Pick<Pending, "offset" | "attempts" | "notBefore" | "firstAttemptAt">;

/** Of records in offset order; neighbours with equal attempts share an entry. */
export function attemptedStretches(records: Iterable<Attempted>): AttemptedStretch[] {
  const stretches: [number, number, number, number, number][] = [];
  for (const { offset, attempts, notBefore, firstAttemptAt } of records) {
    if (attempts === 0) continue;
    const last = stretches.at(-1);
    const isNext = last !== undefined && last[1] === offset - 1 && last[2] === attempts;
    if (isNext && last[3] === notBefore && last[4] === firstAttemptAt) last[1] = offset;
    else stretches.push([offset, offset, attempts, notBefore, firstAttemptAt ?? 0]);
  }
  return stretches;
}

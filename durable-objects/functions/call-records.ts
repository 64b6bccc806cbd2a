import type { DeadLetterEntry } from "./dead-letter-index.ts";
import type { Delivery } from "./delivery.ts";
import type { RecordState } from "./held-records.ts";
import type { GroupState } from "./group-state.ts";
import type { CallRecord } from "./rpc.ts";
import type { RememberedCall } from "./trail.ts";

/** Offsets that one question asks for at most. */
const mostOffsetsAsked = 1_000;

/**
 * What each function has made of each of some offsets. What is under way or waits is told by the
 * ledger, what ended by the dead letters, what is done by the trail of recent calls, and what none of
 * them has was never called for: as long as the trail reaches so far; what is older is left out.
 * @throws {RangeError} for more offsets than one question may ask for
 */
export function callRecordsOf(state: GroupState, offsets: readonly number[]): CallRecord[] {
  const wanted = new Set(offsets);
  if (wanted.size > mostOffsetsAsked) throw new RangeError(`asks for more than ${mostOffsetsAsked} offsets`);
  const ended = endedByFunction(state.deadLetters.of([...wanted]));
  return [...state.deliveries.values()].flatMap((delivery) => {
    const pages = state.store.trailOf(delivery.name);
    const known = delivery.trail.find(wanted, (lowest, highest) => pages.between(lowest, highest));
    const dead = ended.get(delivery.name);
    return [...wanted].flatMap((offset) => {
      const told = toldOf(delivery, offset, dead?.get(offset), known.get(offset));
      return told === undefined ? [] : { function: delivery.name, offset, ...told };
    });
  });
}

/** The newest dead letter of each function and offset. */
function endedByFunction(entries: readonly DeadLetterEntry[]): Map<string, Map<number, DeadLetterEntry>> {
  const ended = new Map<string, Map<number, DeadLetterEntry>>();
  for (const entry of entries) {
    const ofFunction = ended.get(entry.function) ?? new Map<number, DeadLetterEntry>();
    ended.set(entry.function, ofFunction.set(entry.offset, entry));
  }
  return ended;
}

type Told = Omit<CallRecord, "function" | "offset">;

/** Undefined where a call of it may have been forgotten. */
function toldOf(
  delivery: Delivery,
  offset: number,
  dead: DeadLetterEntry | undefined,
  known: RememberedCall | undefined,
): Told | undefined {
  const state = delivery.stateOf(offset);
  if (typeof state === "object") return unfinished(state, delivery.calls.startedAt(offset));
  if (dead !== undefined) {
    const { attempts, endedAt } = dead;
    const started = known?.isDone === false ? { startedAt: known.startedAt } : {};
    return { status: "dead-lettered", attempts, ...started, endedAt };
  }
  // Behind a seek it comes again, whatever was made of it before.
  if (state === "not-yet") return { status: "not-yet", attempts: 0 };
  if (known !== undefined) {
    const { attempts, endedAt, isDone, startedAt } = known;
    return { status: isDone ? "done" : "dead-lettered", attempts, startedAt, endedAt };
  }
  return delivery.trail.reaches(offset) ? { status: "skipped", attempts: 0 } : undefined;
}

/** @param callStartedAt of the call under way, if one is */
function unfinished(
  { attempts, firstAttemptAt, isInFlight, isParked }: Exclude<RecordState, string>,
  callStartedAt: number | undefined,
): Told {
  if (isInFlight) {
    // The one under way is an attempt as well.
    const started = callStartedAt === undefined ? {} : { startedAt: callStartedAt };
    return { status: "running", attempts: attempts + 1, ...started };
  }
  const started = firstAttemptAt === null ? {} : { startedAt: firstAttemptAt };
  return { status: isParked ? "parked" : "waiting", attempts, ...started };
}

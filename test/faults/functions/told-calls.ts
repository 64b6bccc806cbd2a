import type { CallRecord } from "../../../durable-objects/functions/rpc.ts";
import type { Deliveries, Owed } from "./deliveries.ts";
import type { FunctionRun } from "./simulation.ts";

/**
 * What the object tells in the end of each record of a function, against what the receiver saw: also
 * where the object was evicted at any moment. A record is done by its last call, which lies within
 * the times that are told, and nothing is told to be skipped that is owed. A wipe has it begin anew.
 */
export function verifyToldCalls(run: FunctionRun, name: string, deliveries: Deliveries): string[] {
  if (run.kind.isWiped || run.kind.isDeleted) return [];
  const seen = seenBy(run, name);
  const told = new Map(run.told.filter((one) => one.function === name).map((one) => [one.offset, one]));
  return [...deliveries.owed.values()].flatMap((owed) => {
    const call = told.get(owed.offset);
    const problem = call === undefined ? "is not told of" : problemOf(call, owed, seen);
    return problem === undefined ? [] : `${name}: ${owed.offset} ${problem}: ${JSON.stringify(call)}`;
  });
}

/** What the receiver saw of a function's records. */
interface Seen {
  /** When each was called last. */
  readonly calledAt: ReadonlyMap<number, number>;
  readonly done: ReadonlySet<number>;
}

function seenBy({ receiver }: FunctionRun, name: string): Seen {
  const calledAt = new Map<number, number>();
  const done = new Set<number>();
  for (const call of receiver.calls)
    if (call.function === name) for (const { offset } of call.records) calledAt.set(offset, call.at);
  for (const decision of receiver.decisions)
    if (decision.function === name && decision.verdict === "done") done.add(decision.offset);
  return { calledAt, done };
}

function problemOf(call: CallRecord, owed: Owed, seen: Seen): string | undefined {
  const { attempts, endedAt = 0, offset, startedAt = Number.POSITIVE_INFINITY, status } = call;
  const calledAt = seen.calledAt.get(offset);
  switch (status) {
    case "done": {
      if (!seen.done.has(offset)) return "was never done";
      if (attempts === 0) return "was done without an attempt";
      // Left out by a seek, a later call of it came to nothing that the object heard of.
      if (owed.isPassed) return undefined;
      const isWithin = calledAt !== undefined && calledAt >= startedAt && calledAt <= endedAt;
      return isWithin ? undefined : "was called at another time";
    }
    case "dead-lettered":
      return owed.ends.length > 0 ? undefined : "has no dead letter";
    case "skipped":
      return owed.isWanted && !owed.isPassed && owed.ends.length === 0 ? "was to be called for" : undefined;
    default:
      return "is over";
  }
}

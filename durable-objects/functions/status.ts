import type { Delivery } from "./delivery.ts";
import type { GroupState } from "./group-state.ts";
import type { FunctionGroupStatus, FunctionStatus } from "./rpc.ts";

interface Told {
  readonly group: string;
  readonly partition: number;
  readonly topic: string;
  readonly topicId?: string;
  readonly isBehind: boolean;
  readonly stalled?: string;
}

/** What the object tells of itself. */
export function statusOf(state: GroupState, { isBehind, stalled, ...told }: Told): FunctionGroupStatus {
  const { row } = state;
  const functions = [...state.deliveries.values()].map((one) => functionStatus(one, row.position));
  const why = stalled ?? heldBack(functions);
  return {
    ...told,
    position: row.position,
    endOffset: isBehind ? null : row.position,
    readTime: row.readTime,
    isPaused: row.isPaused,
    outbox: state.outbox.unsent,
    deadLettered: row.deadLettered,
    lostOffsets: row.lostOffsets,
    ...(row.lastLoss === null ? {} : { lastLoss: row.lastLoss }),
    functions,
    ...(why === undefined ? {} : { stalled: why }),
  };
}

/** @param head the group's position: what a function has not been handed of what lies before it is unfinished */
function functionStatus(delivery: Delivery, head: number): FunctionStatus {
  const { full, inFlight, name, next, parkedCount: parked, position } = delivery;
  const isBehind = next < head && delivery.disabled === undefined;
  const oldestUnfinished = delivery.oldestUnfinished ?? (isBehind ? next : null);
  const { open } = delivery.circuit;
  return {
    name,
    position,
    next,
    parked,
    inFlight,
    ...(oldestUnfinished === null ? {} : { oldestUnfinished }),
    ...(open === undefined
      ? {}
      : { circuit: { openedAt: open.openedAt, probeAt: open.probeAt, reason: open.reason } }),
    ...(full === undefined ? {} : { full }),
  };
}

/** Nothing is handed to anyone any more: the log keeps the rest. */
function heldBack(functions: readonly FunctionStatus[]): string | undefined {
  const full = functions.flatMap(({ full: why }) => (why === undefined ? [] : [why]));
  return functions.length > 0 && full.length === functions.length ? full.join("; ") : undefined;
}

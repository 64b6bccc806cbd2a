import type { LogRecord } from "../../../src/kafka/port.ts";
import { eventTypes } from "../../../src/topics.ts";
import { header } from "../plain-decoding.ts";
import { sequenceOf } from "../produce-history.ts";
import { topicPrefix } from "./names.ts";
import type { FunctionRun } from "./simulation.ts";

export interface DeadLetter {
  readonly function: string;
  readonly offset: number;
  readonly at: number;
}

/** Offsets that were deleted before they were read, and when that was told. */
export interface ToldGap {
  readonly from: number;
  readonly to: number;
  readonly at: number;
}

/** Outputs as whoever reads them takes them: each sequence once, the first time that it comes. */
function outputsOf({ log }: Pick<FunctionRun, "log">, name: string): LogRecord[] {
  let highest = 0;
  return log.records(topicPrefix + name).filter((record) => {
    const sequence = sequenceOf(record) ?? 0;
    if (sequence <= highest) return false;
    highest = sequence;
    return true;
  });
}

function toldOf(run: Pick<FunctionRun, "log">, type: string): (readonly [data: unknown, at: number])[] {
  return outputsOf(run, "auction.dead-letters")
    .filter((record) => header(record, "ce_type") === type)
    .map((record) => [JSON.parse(record.value), record.timestamp]);
}

export function deadLettersOf(run: Pick<FunctionRun, "log">): DeadLetter[] {
  return toldOf(run, eventTypes.deadLetter).map(([data, at]) => {
    const { function: name, offset } = data as Omit<DeadLetter, "at">;
    return { function: name, offset, at };
  });
}

export function gapsOf(run: Pick<FunctionRun, "log">): ToldGap[] {
  return toldOf(run, eventTypes.logGap).map(([data, at]) => {
    const { from, to } = data as Omit<ToldGap, "at">;
    return { from, to, at };
  });
}

/** How often an output of each id is in its topic. */
export function madeOf(run: Pick<FunctionRun, "log">): ReadonlyMap<string, number> {
  const made = new Map<string, number>();
  for (const record of outputsOf(run, "auction.validated")) {
    const id = header(record, "ce_id") ?? "";
    made.set(id, (made.get(id) ?? 0) + 1);
  }
  return made;
}

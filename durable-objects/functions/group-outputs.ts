import { deadLetterData, gapData } from "../../src/dead-letter.ts";
import type { LogGap } from "../../src/auction/state.ts";
import { visitHeaders } from "../../src/kafka/header-text.ts";
import type { LogRecord } from "../../src/kafka/port.ts";
import { eventTypes } from "../../src/topics.ts";
import type { PreparedOutput } from "../outbox-record.ts";
import type { Ending, Made } from "./changes.ts";
import type { Disabled } from "./ledger.ts";

/** Which group reads what. */
export interface OutputPlace {
  readonly group: string;
  /** As named in the log. */
  readonly topic: string;
  readonly partition: number;
}

/** The dead letter of a record: with its coordinates, its attempts and itself. */
export function deadLetterOf(
  { group, topic, partition }: OutputPlace,
  name: string,
  { pending, reason }: Ending,
  now: number,
): PreparedOutput {
  const { attempts, offset, record, redriven } = pending;
  if (record === undefined) throw new Error(`the record ${offset} that ends is not there`);
  const data = deadLetterData({
    group,
    function: name,
    topic,
    partition,
    offset,
    attempts,
    error: reason,
    record,
  });
  const id = `${topic}/${partition}/${offset}/${group}/${name}/dead/${redriven + 1}`;
  return [eventTypes.deadLetter, id, data.record.key, now, JSON.stringify(data), ...traceOf(record)];
}

/** What a function made of a record: known by the record's coordinates, and at the record's time, at every attempt. */
export function madeOf(
  { topic, partition }: OutputPlace,
  name: string,
  { pending, outputs }: Made,
): PreparedOutput[] {
  const { offset, record } = pending;
  if (record === undefined) throw new Error(`the record ${offset} that was done is not there`);
  return outputs.map(({ type, data }, index) => [
    type,
    `${topic}/${partition}/${offset}/${name}/${index + 1}`,
    record.key,
    record.timestamp,
    JSON.stringify(data),
    ...traceOf(record),
  ]);
}

export function gapOf({ group, partition }: OutputPlace, gap: LogGap, now: number): PreparedOutput {
  const id = `${gap.topic}/${partition}/${gap.from}-${gap.to}/${group}/gap`;
  return [eventTypes.logGap, id, "", now, JSON.stringify(gapData({ group, partition }, gap)), "", ""];
}

/** The event that tells that a function is called no more. */
export function disabledOf({ group }: OutputPlace, name: string, { reason, at }: Disabled): PreparedOutput {
  const data = { group, function: name, reason, disabledAt: new Date(at).toISOString() };
  return [
    eventTypes.functionDisabled,
    `${group}/${name}/disabled/${at}`,
    "",
    at,
    JSON.stringify(data),
    "",
    "",
  ];
}

function traceOf(record: LogRecord): readonly [traceparent: string, tracestate: string] {
  let [traceparent, tracestate] = ["", ""];
  visitHeaders(record, (key, value) => {
    if (key === "ce_traceparent") traceparent = value;
    else if (key === "ce_tracestate") tracestate = value;
  });
  return [traceparent, tracestate];
}

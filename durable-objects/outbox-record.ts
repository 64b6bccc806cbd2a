import type { Output } from "../src/auction/state.ts";
import type { ProduceRecord, RecordHeader } from "../src/kafka/port.ts";
import { derivedTrace } from "../src/lib/trace-context.ts";

/** An output ready to be sent but for its sequence: what the outbox stores. */
export type PreparedOutput = [
  type: string,
  id: string,
  key: string,
  time: number,
  value: string,
  traceparent: string,
  tracestate: string,
];

export function prepare(output: Output): PreparedOutput {
  const { type, id, key, time, data, traceparent, tracestate } = output;
  return [type, id, key, time, JSON.stringify(data), traceparent ?? "", tracestate ?? ""];
}

/**
 * The record of an output: CloudEvents' Kafka binding in binary mode, with the dense sequence by
 * which the next group drops what it has seen. The same output always makes the same record.
 */
export function recordOf(
  [type, id, key, time, value, traceparent, tracestate]: PreparedOutput,
  coordinates: {
    readonly topic: string;
    readonly partition: number;
    readonly source: string;
    readonly sequence: number;
  },
): ProduceRecord {
  const headers: RecordHeader[] = [
    { key: "ce_specversion", value: "1.0" },
    { key: "ce_id", value: id },
    { key: "ce_source", value: coordinates.source },
    { key: "ce_type", value: type },
    { key: "ce_time", value: isoOf(time) },
    // CloudEvents: a subject is not empty; what is about no item has none.
    ...(key === "" ? [] : [{ key: "ce_subject", value: key }]),
    { key: "content-type", value: "application/json" },
    { key: "gavel_sequence", value: String(coordinates.sequence) },
  ];
  if (traceparent !== "") {
    const trace = derivedTrace(traceparent, tracestate, id);
    headers.push({ key: "ce_traceparent", value: trace.traceparent });
    if (trace.tracestate !== undefined) headers.push({ key: "ce_tracestate", value: trace.tracestate });
  }
  return { topic: coordinates.topic, partition: coordinates.partition, key, value, timestamp: time, headers };
}

// Outputs of one moment come in numbers.
let lastTime = Number.NaN;
let lastIso = "";

function isoOf(time: number): string {
  if (time === lastTime) return lastIso;
  lastTime = time;
  lastIso = new Date(time).toISOString();
  return lastIso;
}

import { eventTypes } from "../topics.ts";
import type { ProduceRecord } from "../kafka/port.ts";
import { derivedNewTrace } from "../lib/trace-context.ts";

/** The record by which an idle partition moves its stream time to `now`, so that closings are in the log as well. */
export function tickAt(
  now: number,
  itemId: string,
  target: { readonly journal: string; readonly partition: number; readonly source: string },
): ProduceRecord {
  const time = new Date(now).toISOString();
  const id = `tick/${target.partition}/${now}`;
  return {
    topic: target.journal,
    partition: target.partition,
    key: itemId,
    value: JSON.stringify({ edge: { receivedAt: time, credential: "gavel" } }),
    timestamp: now,
    headers: [
      { key: "ce_specversion", value: "1.0" },
      { key: "ce_id", value: id },
      { key: "ce_source", value: target.source },
      { key: "ce_type", value: eventTypes.tick },
      { key: "ce_time", value: time },
      { key: "ce_subject", value: itemId },
      { key: "content-type", value: "application/json" },
      // A trace of its own, so that what it closes can be followed.
      { key: "ce_traceparent", value: derivedNewTrace(`${target.source} ${id}`) },
    ],
  };
}

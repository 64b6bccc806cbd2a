import { eventTypes } from "../topics.ts";
import type { ProduceRecord } from "../kafka/port.ts";
import { hash53 } from "../lib/hash.ts";
import { toHex } from "../lib/hex.ts";

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
      { key: "ce_traceparent", value: newTrace(`${target.source} ${id}`) },
    ],
  };
}

/**
 * A trace that starts with the tick, so that what it closes can be followed. Made of what the tick
 * is, not of chance: the same run makes the same log. Source: W3C Trace Context, version 00.
 */
function newTrace(of: string): string {
  const [high, middle, low] = [toHex(hash53(of, 1), 14), toHex(hash53(of, 2), 14), toHex(hash53(of, 3), 14)];
  return `00-01${high}${middle}01-01${low}-00`;
}

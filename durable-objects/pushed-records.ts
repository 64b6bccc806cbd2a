import { PushedRecord } from "../src/kafka/header-text.ts";
import type { LogRecord } from "../src/kafka/port.ts";
import type { TopicRole } from "../src/topics.ts";
import type { PushBatch } from "./rpc.ts";

/** The records of a push, whose columns they are. */
export function recordsOf(
  { offsets, timestamps, keys, values, headers }: PushBatch<TopicRole>,
  place: { readonly topic: string; readonly partition: number },
): LogRecord[] {
  return offsets.map((offset, index) => {
    const content = [keys[index] ?? "", values[index] ?? "", headers[index] ?? ""] as const;
    return new PushedRecord(place, offset, timestamps[index] ?? 0, content);
  });
}

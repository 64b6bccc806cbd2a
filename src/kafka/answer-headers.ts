import type { FetchAnswer, TopicPartition } from "./port.ts";

/**
 * What Gavel's own bridge tells beside Upstash's protocol, in headers of its answers. Other servers
 * send none, and what cannot be read counts as not sent.
 */
const entry = /^([^/]+)\/(\d+);next=(\d+);start=(\d+);end=\d+$/;

/** `gavel-topic-ids: auction.bids=<id>,auction.items=<id>`: topic → id. */
export function topicIdsOf(headers: Headers | undefined): ReadonlyMap<string, string> {
  const ids = new Map<string, string>();
  const text = headers?.get("gavel-topic-ids") ?? "";
  for (const pair of text.split(",")) {
    const at = pair.indexOf("=");
    if (at > 0 && at < pair.length - 1) ids.set(pair.slice(0, at).trim(), pair.slice(at + 1).trim());
  }
  return ids;
}

/** `gavel-positions: auction.bids/3;next=120;start=0;end=121`: of the partition that was asked for. */
export function positionOf(
  headers: Headers | undefined,
  { topic, partition }: TopicPartition,
): Pick<FetchAnswer, "next" | "start"> {
  const text = headers?.get("gavel-positions") ?? "";
  for (const one of text.split(",")) {
    const [, name, number, next, start] = entry.exec(one.trim()) ?? [];
    if (name === topic && Number(number) === partition) return { next: Number(next), start: Number(start) };
  }
  return {};
}

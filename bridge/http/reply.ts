import type { PartitionRead } from "../log.ts";

/** What a route answers. */
export interface Reply {
  /** JSON unless `contentType` says otherwise. */
  readonly body: string | readonly Uint8Array[];
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** 200 unless given. */
  readonly status?: number;
  /** Records that were written, or that the answer holds: for the figures. */
  readonly records?: { readonly direction: "in" | "out"; readonly count: number };
  /** The body's bytes are counted as in work already. */
  readonly reserved?: boolean;
  /** Called when the connection ended before the whole answer was out. */
  readonly undelivered?: () => void;
}

/** An answer about more of them has no header: clients bound a head's length. */
const MAX_ENTRIES = 64;

/**
 * `gavel-topic-ids: auction.bids=<id>,auction.items=<id>`, an extension: which topic, in Kafka's
 * sense of KIP-516, an answer is about.
 */
export function topicIdsHeader(
  entries: Iterable<{ readonly topic: string; readonly topicId: string }>,
): Record<string, string> {
  const ids = new Map<string, string>();
  for (const { topic, topicId } of entries) ids.set(topic, topicId);
  if (ids.size === 0 || ids.size > MAX_ENTRIES) return {};
  return { "gavel-topic-ids": [...ids].map(([topic, id]) => `${topic}=${id}`).join(",") };
}

/**
 * `gavel-positions: auction.bids/3;next=120;start=0;end=121`, an extension: where to read on (which
 * is behind offsets that no record has), the first offset that the log still has, and its end.
 */
export function positionsHeader(partitions: readonly PartitionRead[]): Record<string, string> {
  if (partitions.length === 0 || partitions.length > MAX_ENTRIES) return {};
  const entries = partitions.map(
    ({ topic, partition, next, start, end }) =>
      `${topic}/${partition};next=${next};start=${start};end=${end}`,
  );
  return { "gavel-positions": entries.join(",") };
}

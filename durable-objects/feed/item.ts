import { isNews, type LiveItem, versionOf } from "../../src/live/item.ts";
import type { Connection } from "./connection.ts";

/** An item that a feed's clients follow. */
export interface FeedItem {
  readonly itemId: string;
  readonly partition: number;
  /** The latest state that is known here; undefined where the partition was not asked yet. */
  state: FeedState | undefined;
  /** The highest sequence for which the partition has said that the log holds no more than `state`. */
  settledFor: number;
  readonly connections: Set<Connection>;
  /** Connections that are being made. */
  holds: number;
}

interface FeedState {
  readonly version: string;
  readonly sequence: number;
  /** As every client is told it. */
  readonly json: string;
}

export function newFeedItem(itemId: string, partition: number): FeedItem {
  return { itemId, partition, state: undefined, settledFor: 0, connections: new Set(), holds: 0 };
}

export function isWanted({ connections, holds }: FeedItem): boolean {
  return connections.size > 0 || holds > 0;
}

/**
 * Takes a state that the partition has told; answers whether it is another one than was known.
 * @param settledFor highest sequence for which the partition says so; 0 where it only tells a change
 */
export function takeState(item: FeedItem, told: LiveItem, settledFor: number): boolean {
  const version = versionOf(told);
  const { state } = item;
  if (state !== undefined && !isNews(state.version, version, settledFor)) return false;
  item.state = { version, sequence: told.sequence, json: JSON.stringify(told) };
  item.settledFor = settledFor;
  return true;
}

/**
 * Takes note that the log holds no more than the state that is known; answers whether that makes it news to
 * somebody: a client with a higher sequence, which was told nothing while the log might have held it.
 */
export function settle(item: FeedItem, settledFor: number): boolean {
  if (settledFor <= item.settledFor) return false;
  item.settledFor = settledFor;
  return item.state !== undefined && settledFor > item.state.sequence;
}

/** The highest sequence that the feed or one of its clients has seen. */
export function seenOf(item: FeedItem): number {
  let seen = item.state?.sequence ?? 0;
  for (const connection of item.connections) seen = Math.max(seen, connection.seen(item));
  return seen;
}

/** The version that the feed has, or all of its clients have; undefined where it has to be told. */
export function haveOf(item: FeedItem): string | undefined {
  if (item.state !== undefined) return item.state.version;
  if (item.holds > 0) return undefined;
  const versions = new Set([...item.connections].map((connection) => connection.versionOf(item)));
  const [version] = versions;
  return versions.size === 1 && version !== "" ? version : undefined;
}

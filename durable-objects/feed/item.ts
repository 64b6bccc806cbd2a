import { isNews, type LiveItem, sequenceIn, versionOf } from "../../src/live/item.ts";
import type { Connection } from "./connection.ts";

/** Of one item; there is more than one only where a log was made anew, or where somebody makes versions up. */
const mostSettled = 256;

/** An item that a feed's clients follow. */
export interface FeedItem {
  readonly itemId: string;
  readonly partition: number;
  /** The latest state that is known here; undefined where the partition was not asked yet. */
  state: FeedState | undefined;
  /**
   * Higher versions of which the partition has said that the log holds no more than `state`. The versions
   * themselves and not their sequences: somebody may claim to have seen anything.
   */
  readonly settled: Set<string>;
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
  return { itemId, partition, state: undefined, settled: new Set(), connections: new Set(), holds: 0 };
}

export function isWanted({ connections, holds }: FeedItem): boolean {
  return connections.size > 0 || holds > 0;
}

/**
 * Takes a state that the partition has told; answers whether it is another one than was known.
 * @param settled versions for which the partition says that the log holds no more; none where it only
 *   tells a change
 */
export function takeState(item: FeedItem, told: LiveItem, settled: readonly string[]): boolean {
  const version = versionOf(told);
  const { state } = item;
  if (state !== undefined && !isNews(state.version, version, settled.includes(state.version))) return false;
  item.state = { version, sequence: told.sequence, json: JSON.stringify(told) };
  item.settled.clear();
  addSettled(item, settled);
  return true;
}

/**
 * Takes note that the log holds no more than the state that is known; answers whether that makes it news to
 * somebody: a client with a higher version, which was told nothing while the log might have held it.
 */
export function settle(item: FeedItem, settled: readonly string[]): boolean {
  return item.state !== undefined && addSettled(item, settled);
}

function addSettled(item: FeedItem, versions: readonly string[]): boolean {
  const added = versions.filter((version) => isBeyond(item, version));
  for (const version of added) item.settled.add(version);
  // The oldest is asked for again if somebody has it.
  for (const version of item.settled) {
    if (item.settled.size <= mostSettled) break;
    item.settled.delete(version);
  }
  return added.length > 0;
}

/** Whether who has the version has seen more than is known here, and the partition has not said to that what it says. */
export function isBeyond({ state, settled }: FeedItem, version: string): boolean {
  return !settled.has(version) && sequenceOf(version) > (state?.sequence ?? 0);
}

/** The versions that the feed and its clients have. */
export function seenOf(item: FeedItem): string[] {
  const versions = new Set([...item.connections].map((connection) => connection.versionOf(item)));
  if (item.state !== undefined) versions.add(item.state.version);
  return [...versions];
}

/** 0 for whoever has no version. */
export function sequenceOf(version: string): number {
  return version === "" ? 0 : sequenceIn(version);
}

/** The version that the feed has, or all of its clients have; undefined where it has to be told. */
export function haveOf(item: FeedItem): string | undefined {
  if (item.state !== undefined) return item.state.version;
  if (item.holds > 0) return undefined;
  const versions = new Set([...item.connections].map((connection) => connection.versionOf(item)));
  const [version] = versions;
  return versions.size === 1 && version !== "" ? version : undefined;
}

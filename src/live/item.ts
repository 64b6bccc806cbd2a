import type { HighestBid, ItemStatus } from "../auction/events.ts";

/** An item's latest state, as everybody who follows it is told it: no terms, and no reserve. */
export type LiveItem = KnownItem | UnknownItem;

export interface KnownItem extends Place {
  readonly status: ItemStatus;
  readonly highest: HighestBid | null;
  readonly bids: number;
  readonly rejected: number;
  readonly bidders: number;
  readonly reserveMet: boolean;
  readonly closesAt: string;
  readonly outcome?: {
    readonly outcome: "sold" | "unsold" | "withdrawn";
    readonly price?: number;
    readonly winner?: { bidderId: string; bidId: string; partition: number; offset: number };
    readonly closedAt: string;
  };
}

/** There is no such item, or it finished long ago. */
export interface UnknownItem extends Place {
  readonly sequence: 0;
  readonly status: "unknown";
}

interface Place {
  readonly itemId: string;
  /** Rises with every change that is told; the same after a rebuild from the log. */
  readonly sequence: number;
  readonly partition: number;
  /** The partition's next journal offset, and its stream time, when the state was read. */
  readonly position: number;
  readonly asOf: string;
}

const checkLength = 4;

/**
 * Which state it is, as a short text: the sequence, and a check of everything that is told of the item.
 * Two states of one sequence differ only where the log was made anew; the check tells them apart.
 */
export function versionOf(item: LiveItem): string {
  const { partition: _partition, position: _position, asOf: _asOf, ...told } = item;
  return item.sequence.toString(36) + checkOf(JSON.stringify(told));
}

export function sequenceIn(version: string): number {
  return Number.parseInt(version.slice(0, -checkLength), 36);
}

/** Matches what `versionOf` makes. */
export const versionPattern = /^[0-9a-z]{1,11}[A-Za-z0-9_-]{4}$/;

const checkDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** 24 bits of a text's FNV-1a, as four digits that a URL takes as they are. */
export function checkOf(text: string): string {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  // The upper bits are folded in: the lower ones of FNV-1a alone are weaker.
  const folded = (hash ^ (hash >>> 24)) & 0xffffff;
  return [18, 12, 6, 0].map((shift) => checkDigits[(folded >>> shift) & 63]).join("");
}

/**
 * Whether a state is news to somebody who has a version (empty: has none). A lower sequence than theirs is
 * that of a partition which is being rebuilt, and no news, unless it is settled that the log holds no more;
 * an equal one with other content is that of a log which was made anew.
 * @param isSettled whether that is settled for whoever has this version
 */
export function isNews(known: string, told: string, isSettled: boolean): boolean {
  if (known === told) return false;
  if (known === "") return true;
  return isSettled || sequenceIn(told) >= sequenceIn(known);
}

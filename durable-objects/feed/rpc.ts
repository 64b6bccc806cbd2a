import type { LiveItem } from "../../src/live/item.ts";

/** An item that a feed follows. */
export interface FollowedItem {
  readonly itemId: string;
  /** What the feed and all of its clients have: it need not be answered. */
  readonly version?: string;
  /** The highest sequence that one of them has seen, here or from another feed. */
  readonly seen?: number;
}

export interface FollowQuery {
  /** Name of the feed's object. */
  readonly feed: string;
  readonly items: readonly FollowedItem[];
  /** These are all that the feed follows here: others that it followed before, it does not any more. */
  readonly isAll: boolean;
}

export interface FollowAnswer {
  /** The items of which the feed has another version, or none. */
  readonly items: readonly LiveItem[];
  /** The partition has read its log to the end: a lower sequence is that of a log made anew. */
  readonly isSettled: boolean;
}

/** What a feed says to the states that it was told. */
export interface DeliverAnswer {
  /** Items that nobody follows there. */
  readonly unwanted: readonly string[];
}

/** `full`: it has as many sockets, items or tickets as it takes. */
export type TicketAnswer =
  | { readonly kind: "issued"; readonly ticket: string; readonly expiresAt: number }
  | { readonly kind: "full" };

/** Whose a connection is. */
export interface Holder {
  /** Id of the credential. */
  readonly credential: string;
  /** It is a key of the database, which may be revoked. */
  readonly isStoredKey: boolean;
}

/** How much a feed has to do. */
export interface FeedFigures {
  /** Clients that are connected. */
  readonly connections: number;
  /** Items that they follow. */
  readonly items: number;
}

/** A feed object, by RPC. A connection is opened by `fetch`, with `ConnectQuery` in its URL. */
export interface FeedRpc {
  /** For partitions: the latest states of items. */
  deliver(items: readonly LiveItem[]): Promise<DeliverAnswer>;
  issueTicket(holder: Holder): Promise<TicketAnswer>;
  /** Whom the ticket was issued to; null where it is not, or not any more, good. Only once. */
  redeemTicket(ticket: string): Promise<Holder | null>;
  figures(): Promise<FeedFigures>;
}

export interface ConnectQuery {
  /** Sorted, each once. */
  readonly items: readonly string[];
  /** A cursor; absent: everything is told. */
  readonly after?: string;
  readonly holder: Holder;
}

/** Why a connection is not taken, as JSON with a status that is no 101. */
export interface ConnectRefusal {
  readonly kind: "full" | "unavailable";
}

import { type BatchAnswer, sendBatch } from "./batch.ts";
import { type Call, type CallOptions, Gateway, type QueryValue } from "./gateway.ts";
import { type FollowOptions, Following } from "./follow/follow.ts";
import { type Host, hostOf } from "./host.ts";
import { Listing } from "./listing.ts";
import type {
  Accepted,
  AuctionsQuery,
  Bid,
  BidderBid,
  BidderBidsQuery,
  CategoryStats,
  CellStats,
  Coordinates,
  FinishedAuction,
  Item,
  ItemBid,
  ItemsQuery,
  ItemState,
  WindowStats,
} from "./types.ts";

export interface ClientOptions extends Partial<Host> {
  /** Where the gateway is: `https://gavel.example.com`. */
  readonly url: string;
  /** An API key or a JWT, or what gets one; it is asked before every request. */
  readonly credential: string | (() => string | Promise<string>);
  /** `source` of the events of a batch; with their ids it tells repetitions. */
  readonly source?: string;
  /** Requests of one call at most, the first one included; 5 unless said. */
  readonly attempts?: number;
  /** One request, in milliseconds; 10 s unless said. */
  readonly attemptTimeoutMs?: number;
}

export interface WriteOptions extends CallOptions {
  /** The event's id: the same event with the same key is applied once. Made up where it is absent. */
  readonly idempotencyKey?: string;
}

export interface WaitOptions extends WriteOptions {
  /** Waits for the outcome, 1 to 10 seconds; it is absent from the answer where that was too short. */
  readonly waitSeconds?: number;
}

export interface ReadOptions extends CallOptions {
  /** Coordinates of an event: what is read is not from before it took effect. */
  readonly after?: Coordinates;
}

/**
 * What an app does with a gateway. Every method rejects with a `GavelProblem`, or with the reason of
 * the caller's signal. What may pass is tried again, with the same id, up to the call's time.
 */
export interface Client {
  listItem(item: Item, options?: WaitOptions): Promise<Accepted>;
  /** Any number of items, in as many requests as they need. */
  listItems(items: readonly Item[], options?: WriteOptions): Promise<BatchAnswer>;
  withdraw(itemId: string, options?: WaitOptions & { readonly reason?: string }): Promise<Accepted>;
  placeBid(bid: Bid, options?: WaitOptions): Promise<Accepted>;
  /** Any number of bids, in as many requests as they need; bids on one item keep their order. */
  placeBids(bids: readonly Bid[], options?: WriteOptions): Promise<BatchAnswer>;
  /** One item with its state. */
  item(itemId: string, options?: ReadOptions): Promise<ItemState>;
  /** An item's bids, newest first. */
  bids(
    itemId: string,
    query?: { readonly limit?: number; readonly before?: number },
    options?: CallOptions,
  ): Listing<ItemBid>;
  /** Open items. */
  items(query?: ItemsQuery, options?: CallOptions): Listing<ItemState>;
  /** A bidder's bids on all items, newest first. */
  bidderBids(bidderId: string, query?: BidderBidsQuery, options?: CallOptions): Listing<BidderBid>;
  /** Finished auctions, the last closed first. */
  auctions(query?: AuctionsQuery, options?: CallOptions): Listing<FinishedAuction>;
  categories(options?: CallOptions): Promise<CategoryStats>;
  windows(
    query?: { readonly seconds?: number; readonly category?: string },
    options?: CallOptions,
  ): Promise<WindowStats>;
  cells(query?: { readonly resolution?: number }, options?: CallOptions): Promise<CellStats>;
  /** The latest states of up to 64 items, as they change. */
  follow(itemIds: readonly string[], options?: FollowOptions): Following;
}

const defaultAttempts = 5;
const defaultAttemptTimeoutMs = 10_000;
const defaultSource = "/clients/gavel";

export function createClient(options: ClientOptions): Client {
  const { url, credential, source = defaultSource } = options;
  const { attempts = defaultAttempts, attemptTimeoutMs = defaultAttemptTimeoutMs } = options;
  const gateway = new Gateway({ url, credential, attempts, attemptTimeoutMs, host: hostOf(options) });
  return {
    ...writing(gateway, source),
    ...lists(gateway),
    ...reading(gateway),
    follow: (itemIds, followOptions = {}) => new Following(gateway, itemIds, followOptions),
  };
}

function writing(
  gateway: Gateway,
  source: string,
): Pick<Client, "listItem" | "listItems" | "withdraw" | "placeBid" | "placeBids"> {
  const write = (path: string, body: unknown, options: WaitOptions = {}): Promise<Accepted> => {
    const { idempotencyKey = crypto.randomUUID(), waitSeconds } = options;
    const call: Call = { method: "POST", path, body, idempotencyKey };
    if (waitSeconds === undefined) return gateway.call(call, options);
    const waiting = { headers: { prefer: `wait=${waitSeconds}` }, waitMs: waitSeconds * 1_000 };
    return gateway.call({ ...call, ...waiting }, options);
  };
  const writeAll = (
    type: string,
    all: readonly unknown[],
    options: WriteOptions = {},
  ): Promise<BatchAnswer> => {
    const { idempotencyKey = crypto.randomUUID() } = options;
    const events = all.map((data, index) => {
      return { specversion: "1.0" as const, id: `${idempotencyKey}:${index}`, source, type, data };
    });
    return sendBatch(gateway, events, { ...options, idempotencyKey });
  };
  return {
    listItem: (item, options) => write("/v1/items", item, options),
    listItems: (items, options) => writeAll("gavel.item.listed.v1", items, options),
    withdraw: (itemId, options) => {
      const reason = options?.reason;
      return write(`${itemPath(itemId)}/withdraw`, reason === undefined ? {} : { reason }, options);
    },
    placeBid: (bid, options) => write("/v1/bids", bid, options),
    placeBids: (bids, options) => writeAll("gavel.bid.placed.v1", bids, options),
  };
}

function lists(gateway: Gateway): Pick<Client, "bids" | "items" | "bidderBids" | "auctions"> {
  /** @param name the member of an answer that has a page's entries */
  const list = <Entry>(
    path: string,
    name: string,
    query: Readonly<Record<string, QueryValue>>,
    options: CallOptions = {},
    cursorName = "cursor",
  ): Listing<Entry> => {
    const first = query[cursorName];
    return new Listing<Entry>(first === undefined ? undefined : String(first), async (cursor) => {
      const asked = { ...query, [cursorName]: cursor };
      type Body = Readonly<Record<string, readonly Entry[]>> & { readonly next?: string | number };
      const body: Body = await gateway.call({ method: "GET", path, query: asked }, options);
      const { next } = body;
      return { entries: body[name] ?? [], ...(next === undefined ? {} : { next: String(next) }) };
    });
  };
  return {
    bids: (itemId, query = {}, options) =>
      list(`${itemPath(itemId)}/bids`, "bids", { ...query }, options, "before"),
    items: (query = {}, options) => list("/v1/items", "items", { ...query }, options),
    bidderBids: (bidderId, query = {}, options) =>
      list(`/v1/bidders/${encodeURIComponent(bidderId)}/bids`, "bids", { ...query }, options),
    auctions: ({ attributes = {}, ...query } = {}, options) => {
      const named = Object.entries(attributes).map(
        ([name, value]) => [`attribute.${name}`, String(value)] as const,
      );
      return list("/v1/auctions", "auctions", { ...query, ...Object.fromEntries(named) }, options);
    },
  };
}

function reading(gateway: Gateway): Pick<Client, "item" | "categories" | "windows" | "cells"> {
  const read = <Body>(
    path: string,
    query: Readonly<Record<string, QueryValue>>,
    options: CallOptions = {},
  ): Promise<Body> => gateway.call({ method: "GET", path, query }, options);
  return {
    item: (itemId, options) => read(itemPath(itemId), { after: coordinates(options?.after) }, options),
    categories: (options) => read("/v1/stats/categories", {}, options),
    windows: (query = {}, options) => read("/v1/stats/windows", { ...query }, options),
    cells: (query = {}, options) => read("/v1/stats/cells", { ...query }, options),
  };
}

function itemPath(itemId: string): string {
  return `/v1/items/${encodeURIComponent(itemId)}`;
}

function coordinates(after: Coordinates | undefined): string | undefined {
  return after === undefined ? undefined : `${after.topic}:${after.partition}:${after.offset}`;
}

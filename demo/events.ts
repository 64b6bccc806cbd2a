import { eventTypes } from "../src/topics.ts";
import type { PublishedAuction } from "./auctions.ts";

/** A CloudEvent in structured form. `time` counts, since the demo writes with a trusted key. */
export interface CloudEvent {
  readonly specversion: "1.0";
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string;
  readonly time: string;
  readonly datacontenttype?: "application/json";
  readonly data?: object;
}

const source = "https://www.modelingonlineauctions.com/datasets";
const currency = "USD";
const dayMs = 86_400_000;

/** The whole second after which every auction of `days` has ended, with the closing grace. */
export function endOfTime(epoch: number, auctions: readonly PublishedAuction[], graceMs: number): number {
  const longest = Math.max(...auctions.map(({ days }) => days));
  return epoch + longest * dayMs + graceMs;
}

/** Listings: every auction starts at the epoch, since the file tells times from the start alone. */
export function listings(auctions: readonly PublishedAuction[], epoch: number): CloudEvent[] {
  return auctions.map(({ id, category, days, openingPrice }) => ({
    ...envelope(`${id}/listed`, eventTypes.itemListed, id, epoch),
    data: {
      itemId: id,
      sellerId: "ebay",
      title: `eBay auction ${id}`,
      category,
      currency,
      startingPrice: openingPrice,
      endsAt: new Date(epoch + days * dayMs).toISOString(),
    },
  }));
}

/** The bids of all auctions as one stream in the order of time, ties in the file's order. */
export function bids(auctions: readonly PublishedAuction[], epoch: number): CloudEvent[] {
  return auctions
    .flatMap(({ id, bids: placed }) => placed.map((bid) => ({ id, ...bid })))
    .toSorted((one, other) => one.at - other.at || one.line - other.line)
    .map(({ id, bidder, amount, at, line }) => ({
      ...envelope(`${id}/${line}`, eventTypes.bidPlaced, id, epoch + at),
      data: { itemId: id, bidderId: bidder, bidId: `${id}.${line}`, amount, currency },
    }));
}

/** Moves a partition's clock; `item` is any of the partition's items. */
export function tick(item: string, time: number): CloudEvent {
  const { datacontenttype: _, ...event } = envelope(`${item}/tick/${time}`, eventTypes.tick, item, time);
  return event;
}

function envelope(id: string, type: string, subject: string, time: number) {
  const at = new Date(time).toISOString();
  const datacontenttype = "application/json" as const;
  return { specversion: "1.0" as const, id, source, type, subject, time: at, datacontenttype };
}

import type { Entry } from "../../src/auction/state.ts";

type Line = [
  previous: number,
  kind: 0 | 1,
  offset: number,
  timestamp: number,
  itemId: string,
  bidderId: string,
  amount: number,
  reason: string,
  bids: number,
  highestEntry: number,
  id: string,
  bidId: string,
  source: string,
  subject: string,
  cell: string,
  country: string,
];

/** An empty bid id stands for the event's id, which most bids have. */
export function encodeEntry(entry: Entry): string {
  const { identity } = entry;
  const line: Line = [
    entry.previous,
    entry.kind === "bid" ? 0 : 1,
    entry.offset,
    entry.timestamp,
    entry.itemId,
    entry.bidderId,
    entry.amount,
    entry.reason ?? "",
    entry.bids,
    entry.highestEntry,
    identity.id,
    entry.bidId === identity.id ? "" : entry.bidId,
    identity.source,
    identity.subject,
    entry.cell,
    entry.country,
  ];
  return JSON.stringify(line);
}

/** @param number the entry's own, which its place tells */
export function decodeEntry(number: number, text: string): Entry {
  const line = JSON.parse(text) as Line;
  const [previous, kind, offset, timestamp, itemId, bidderId, amount, reason, bids, highestEntry] = line;
  const [, , , , , , , , , , id, bidId, source, subject, cell, country] = line;
  return {
    number,
    previous,
    kind: kind === 0 ? "bid" : "withdrawal",
    offset,
    timestamp,
    itemId,
    identity: { subject, source, id },
    reason: reason === "" ? null : (reason as NonNullable<Entry["reason"]>),
    bids,
    highestEntry,
    bidderId,
    bidId: bidId === "" && kind === 0 ? id : bidId,
    amount,
    cell,
    country,
  };
}

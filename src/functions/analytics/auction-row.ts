import { parseTimestamp } from "../../lib/time.ts";
import type { CompletedEvent } from "../completed-event.ts";

const hourMs = 3_600_000;

/** A finished auction as the table `auctions` holds it. Source: migrations/0001_auctions.sql. */
export interface AuctionRow {
  readonly itemId: string;
  readonly sequence: number;
  /** Milliseconds since the epoch. */
  readonly closedAt: number;
  readonly category: string;
  readonly currency: string;
  readonly status: "sold" | "unsold" | "withdrawn";
  readonly price: number | null;
  readonly bids: number;
  /** The event's data as JSON. */
  readonly data: string;
}

export function rowOf({ auction, sequence }: CompletedEvent): AuctionRow {
  return {
    itemId: auction.itemId,
    sequence,
    closedAt: parseTimestamp(auction.closedAt) ?? 0,
    category: auction.category,
    currency: auction.currency,
    status: auction.outcome,
    price: auction.price ?? null,
    bids: auction.bids,
    data: JSON.stringify(auction),
  };
}

/** The hour of one category and currency whose totals an auction is part of. */
export type TotalsHour = readonly [day: number, category: string, currency: string, hour: number];

export function totalsHourOf({
  closedAt,
  category,
  currency,
}: Pick<AuctionRow, "closedAt" | "category" | "currency">): TotalsHour {
  const hour = Math.floor(closedAt / hourMs);
  const day = Math.floor(hour / 24);
  return [day, category, currency, hour - 24 * day];
}

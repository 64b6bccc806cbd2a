import { z } from "zod";
import {
  attributes,
  category,
  currency,
  id,
  itemAttributes,
  text,
  timestamp,
} from "../../src/ingest/schemas.ts";
import { amount, count, nullable } from "./events.ts";
import { endings, winner } from "./items.ts";
import { grossValue } from "./stats.ts";

/** As `auction.completed` has it. */
export const completedAuction = z
  .strictObject({
    itemId: id,
    sellerId: id,
    title: text(1, 200),
    category,
    attributes: attributes(itemAttributes.most, itemAttributes.longest).optional(),
    currency,
    outcome: endings,
    price: amount.optional(),
    winner: winner.optional(),
    startingPrice: amount,
    reserve: amount.optional(),
    bids: count,
    bidders: count,
    startsAt: timestamp,
    endsAt: timestamp,
    closedAt: timestamp,
  })
  .meta({ id: "CompletedAuction" });

export const auctionPage = z
  .strictObject({ auctions: z.array(completedAuction), next: z.string().optional() })
  .meta({ id: "AuctionPage" });

export const totalsPage = z
  .strictObject({
    totals: z.array(
      z
        .strictObject({
          day: z.iso.date(),
          category,
          currency,
          sold: count,
          unsold: count,
          withdrawn: count,
          bids: count,
          grossValue,
          averagePrice: nullable(amount),
        })
        .meta({ id: "DayTotals" }),
    ),
    next: z.string().optional(),
  })
  .meta({ id: "TotalsPage" });

import { z } from "zod";
import { eventIdentifier, id, itemSchema, timestamp } from "../../src/ingest/schemas.ts";
import { amount, bidReasons, count, highestBid, nullable, offset, partition } from "./events.ts";

export const endings = z.enum(["sold", "unsold", "withdrawn"]);

export const winner = z
  .strictObject({ bidderId: id, bidId: eventIdentifier, partition, offset })
  .meta({ id: "Winner" });

const listed = itemSchema.meta({ id: "Item", description: "An item's terms, as they were listed" });

export const itemView = z
  .strictObject({
    itemId: id,
    status: z.enum(["scheduled", "open", ...endings.options]),
    item: listed,
    highest: nullable(highestBid),
    reserveMet: z.boolean(),
    bids: count,
    rejected: count,
    bidders: count,
    closesAt: timestamp,
    outcome: z
      .strictObject({
        outcome: endings,
        price: amount.optional(),
        winner: winner.optional(),
        closedAt: timestamp,
      })
      .optional(),
    partition,
    position: offset,
    asOf: timestamp,
  })
  .meta({ id: "ItemView" });

export const itemPage = z
  .strictObject({ items: z.array(itemView), next: z.string().optional() })
  .meta({ id: "ItemPage" });

export const bidPage = z
  .strictObject({
    bids: z.array(
      z
        .strictObject({
          bidId: eventIdentifier,
          bidderId: id,
          amount,
          at: timestamp,
          outcome: z.enum(["accepted", "rejected"]),
          reason: z.enum(bidReasons).optional(),
          partition,
          offset,
        })
        .meta({ id: "BidView" }),
    ),
    next: offset.optional(),
  })
  .meta({ id: "BidPage" });

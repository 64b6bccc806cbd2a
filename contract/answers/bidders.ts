import { z } from "zod";
import type { BidderBidStatus } from "../../durable-objects/rpc.ts";
import { currency, eventIdentifier, id, timestamp } from "../../src/ingest/schemas.ts";
import { amount, bidReasons, offset, partition } from "./events.ts";

const statuses = [
  "winning",
  "outbid",
  "won",
  "lost",
  "rejected",
] as const satisfies readonly BidderBidStatus[];

export const bidderBidPage = z
  .strictObject({
    bids: z.array(
      z
        .strictObject({
          itemId: id,
          bidId: eventIdentifier,
          amount,
          currency: currency.optional(),
          at: timestamp,
          status: z.enum(statuses),
          reason: z.enum(bidReasons).optional(),
          partition,
          offset,
        })
        .meta({ id: "BidderBid" }),
    ),
    next: z.string().optional(),
  })
  .meta({ id: "BidderBidPage" });

import { z } from "zod";
import { category, currency, id, timestamp } from "../../src/ingest/schemas.ts";
import { amount, count, nullable } from "./events.ts";

/** A sum of prices may pass 2^53: an integer of JSON, of any size. */
export const grossValue = z.int().min(0).max(Number.MAX_VALUE).meta({ id: "GrossValue", type: "integer" });

export const categoryTotals = z
  .strictObject({
    asOf: nullable(timestamp),
    categories: z.array(
      z
        .strictObject({
          category,
          currency,
          scheduled: count,
          open: count,
          sold: count,
          unsold: count,
          withdrawn: count,
          bids: count,
          grossValue,
          averagePrice: nullable(amount),
        })
        .meta({ id: "CategoryTotals" }),
    ),
  })
  .meta({ id: "Categories" });

/** A count of distinct bidders, which may be an estimate and then says so. */
const distinct = { bidders: count, biddersEstimated: z.literal(true).optional() };

export const windows = z
  .strictObject({
    seconds: z.int().min(10).max(3600),
    windows: z.array(
      z
        .strictObject({
          start: timestamp,
          category,
          currency,
          bids: count,
          ...distinct,
          highest: nullable(z.strictObject({ amount, itemId: id, bidderId: id })),
          hottest: z.array(z.strictObject({ itemId: id, bids: count })).max(5),
        })
        .meta({ id: "Window" }),
    ),
  })
  .meta({ id: "Windows" });

export const cells = z
  .strictObject({
    cells: z.array(
      z
        .strictObject({ cell: z.string(), country: z.string(), bids: count, ...distinct })
        .meta({ id: "Cell" }),
    ),
  })
  .meta({ id: "Cells" });

import { z } from "zod";

export const whatIfParameters = z.strictObject({
  category: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, "must be a category"),
  currency: z.string().regex(/^[A-Z]{3}$/, "must be an ISO 4217 code"),
  /** Instead of each auction's own, in minor units. */
  reserve: z.int().min(0).optional(),
  /** How likely each bidder is to be absent from a whole season. */
  absent: z.number().min(0).max(0.99).default(0),
  /** Whether a season draws its auctions anew, with replacement; else it has each once. */
  resample: z.boolean().default(true),
  seasons: z.int().min(1).max(10_000).default(1_000),
  seed: z.int().min(0).default(1),
});

export type WhatIfParameters = z.output<typeof whatIfParameters>;

import { z } from "zod";
import { category, currency, id, timestamp } from "../../src/ingest/schemas.ts";
import { amount, count, nullable } from "./events.ts";

const share = nullable(z.number().min(0).max(1));
const attribute = z.strictObject({ name: z.string(), value: z.string() }).optional();

const summary = { id: z.string(), category, attribute, asOf: timestamp, auctions: count, sold: count };

export const analysisPage = z
  .strictObject({
    analyses: z.array(z.strictObject({ ...summary, sellThrough: share }).meta({ id: "AnalysisSummary" })),
    next: z.string().optional(),
  })
  .meta({ id: "AnalysisPage" });

const price = nullable(amount);

const prices = z
  .strictObject({
    currency,
    auctions: count,
    sold: count,
    min: price,
    p5: price,
    p25: price,
    p50: price,
    p75: price,
    p95: price,
    max: price,
    mean: price,
    error: z.number().min(0).max(1),
    histogram: z.array(z.strictObject({ from: z.number(), to: z.number(), count })),
  })
  .meta({ id: "Prices" });

const bidders = z.strictObject({
  distinct: count,
  onThreeOrMore: count,
  pairs: count,
  most: z.array(z.strictObject({ bidderId: id, auctions: count })).max(20),
  expectedPairs: count,
});

const run = z.strictObject({
  startedAt: timestamp,
  finishedAt: timestamp,
  slices: count,
  rows: count,
  status: z.enum(["idle", "running", "waiting", "unknown"]),
  running: z.strictObject({ startedAt: timestamp, slices: count }).optional(),
});

export const analysis = z
  .strictObject({
    ...summary,
    unsold: count,
    withdrawn: count,
    sellThrough: share,
    currencies: count,
    prices: z.array(prices).max(20),
    bidders,
    run,
  })
  .meta({ id: "Analysis" });

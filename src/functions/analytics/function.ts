import { eventTypes } from "../../topics.ts";
import type { Declaration } from "../declare.ts";
import { createAnalytics } from "./analytics.ts";

/**
 * `auctions` as the topology drives it: some hundred auctions a call, and one call at a time, since
 * two of them could recount the totals of one hour side by side. A call may ask the database twice.
 */
export const analytics: Declaration = {
  create: ({ database }) => createAnalytics(database),
  filter: { types: [eventTypes.itemCompleted] },
  order: "partition",
  batch: { count: 500 },
  concurrency: 1,
  timeoutMs: 30_000,
};

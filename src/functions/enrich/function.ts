import type { Declaration } from "../declare.ts";
import { eventTypes } from "../../topics.ts";
import { createDatabaseProfiles } from "./database-profiles.ts";
import { createEnrich } from "./enrich.ts";

/** `enrich` as the topology drives it: with the profiles of Gavel's database. */
export const enrich: Declaration = {
  create: ({ clock, database, logger }) =>
    createEnrich({
      source: createDatabaseProfiles(database, clock),
      policy: { maximumAgeMs: 60_000, stale: "reload", missing: "pass" },
      clock,
      logger,
    }),
  filter: { types: [eventTypes.itemCompleted] },
};

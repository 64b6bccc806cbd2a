import type { Declaration } from "../../../../src/functions/declare.ts";
import { eventTypes } from "../../../../src/topics.ts";
import { createEnrich } from "../../../../src/functions/enrich/enrich.ts";
import { createHttpProfiles } from "../../../../src/functions/enrich/http-profiles.ts";

export const enrich: Declaration = {
  create: ({ clock, fetch, logger }) => {
    const url = "https://profiles.example.com/look-up";
    return createEnrich({
      source: createHttpProfiles({ url, fetch, timeoutMs: 5_000, clock }),
      policy: { maximumAgeMs: 60_000, stale: "use", missing: "pass" },
      clock,
      logger,
    });
  },
  filter: { types: [eventTypes.itemCompleted] },
  retry: { attempts: 20_000 },
};

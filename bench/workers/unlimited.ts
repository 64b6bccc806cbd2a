import type { Env } from "../../src/env.ts";

/**
 * What stands in for the platform's counters where the edge alone is measured: every limit is on and
 * none is reached. Miniflare's own are Durable Objects, which a call costs half a millisecond; the
 * platform's are counters beside the isolate.
 */
export const countless: Pick<Env, "RATE_LIMIT_CREDENTIAL" | "RATE_LIMIT_ADDRESS" | "RATE_LIMIT_UNKNOWN"> &
  Record<`RATE_LIMIT_${"CREDENTIAL" | "ADDRESS" | "UNKNOWN"}_QUOTA`, string> = {
  RATE_LIMIT_CREDENTIAL: { limit: () => Promise.resolve({ success: true }) },
  RATE_LIMIT_ADDRESS: { limit: () => Promise.resolve({ success: true }) },
  RATE_LIMIT_UNKNOWN: { limit: () => Promise.resolve({ success: true }) },
  RATE_LIMIT_CREDENTIAL_QUOTA: "1000000/10",
  RATE_LIMIT_ADDRESS_QUOTA: "1000000/10",
  RATE_LIMIT_UNKNOWN_QUOTA: "1000000/10",
};

/** The part of the configuration that is about following items live. */
import { z } from "zod";

export interface LiveConfig {
  /** Objects over which the clients are spread. */
  readonly feedObjects: number;
  readonly live: {
    /** Of one object. */
    readonly mostSockets: number;
    readonly acknowledgeMs: number;
    readonly sessionMs: number;
    readonly repairMs: number;
  };
}

const integer = (smallest: number, largest: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/, "is not a whole number")
    .transform(Number)
    .pipe(z.int().min(smallest).max(largest));

export const liveVariables = {
  FEED_OBJECTS: integer(1, 10_000).default(8),
  // The platform takes 32,768 an object; what each of them is told is sent one after the other.
  FEED_SOCKETS: integer(1, 32_000).default(4_000),
  LIVE_ACKNOWLEDGE_MS: integer(100, 3_600_000).default(15_000),
  LIVE_SESSION_MS: integer(1_000, 86_400_000).default(3_600_000),
  LIVE_REPAIR_MS: integer(100, 3_600_000).default(30_000),
};

export function liveConfig(value: z.output<z.ZodObject<typeof liveVariables>>): LiveConfig {
  return {
    feedObjects: value.FEED_OBJECTS,
    live: {
      mostSockets: value.FEED_SOCKETS,
      acknowledgeMs: value.LIVE_ACKNOWLEDGE_MS,
      sessionMs: value.LIVE_SESSION_MS,
      repairMs: value.LIVE_REPAIR_MS,
    },
  };
}

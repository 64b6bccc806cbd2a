import { z } from "zod";
import { id, timestamp } from "../../src/ingest/schemas.ts";

/** Where and by whom an event was accepted: never an address. */
export const edgeMembers = {
  country: z.string().optional(),
  region: z.string().optional(),
  city: z.string().optional(),
  continent: z.string().optional(),
  timezone: z.string().optional(),
  asn: z.int().min(0).optional(),
  colo: z.string().optional(),
  cell: z
    .string()
    .regex(/^8[0-5][0-9a-f]{13}$/)
    .optional(),
  receivedAt: timestamp,
  credential: z.string(),
  subject: id.optional(),
};

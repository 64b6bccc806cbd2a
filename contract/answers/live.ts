import { z } from "zod";
import { timestamp } from "../../src/ingest/schemas.ts";

export const ticket = z
  .strictObject({ ticket: z.string(), expiresAt: timestamp })
  .meta({ id: "Ticket", description: "Opens one connection" });

import { z } from "zod";
import { attributes, text } from "../ingest/schemas.ts";

/** What a profile holds. Small, since every object of group `enrich` keeps some thousand in memory. */
const fields = {
  displayName: text(1, 200).optional(),
  /** ISO 3166-1 alpha-2. */
  country: z
    .string()
    .regex(/^[A-Z]{2}$/, "must be a country code of ISO 3166-1, two upper-case letters")
    .optional(),
  rating: z.number().min(0).max(100).optional(),
  attributes: attributes(16, 100).optional(),
};

/** The body of `PUT /v1/profiles/{id}`. */
export const profileSchema = z.strictObject(fields);

/** A profile that something else wrote: what is not known of it is left out. */
export const foreignProfileSchema = z.object(fields);

export type ProfileFields = z.output<typeof profileSchema>;

export interface Profile extends ProfileFields {
  /** RFC 3339; absent where whoever keeps the profile does not tell. */
  readonly updatedAt?: string | undefined;
}

import { id, timestamp } from "../../src/ingest/schemas.ts";
import { profileSchema } from "../../src/profiles/profile.ts";

export const profileFields = profileSchema.meta({ id: "ProfileFields" });

export const profile = profileSchema.extend({ id, updatedAt: timestamp }).meta({ id: "Profile" });

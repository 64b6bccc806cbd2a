import type { Database } from "../../database.ts";
import type { Clock } from "../../lib/clock.ts";
import { ok } from "../../lib/result.ts";
import { findProfiles, readProfile } from "../../profiles/store.ts";
import type { ProfileSource } from "./profile-source.ts";

/** The table that `PUT /v1/profiles/{id}` writes: one statement for all ids, true as of when it is asked. */
export function createDatabaseProfiles(database: Database, clock: Clock): ProfileSource {
  return {
    async find(ids) {
      const asOf = clock.now();
      const rows = await findProfiles(database, ids);
      return new Map(
        rows.map((row) => {
          const profile = readProfile(row);
          return [row.id, profile.ok ? ok({ profile: profile.value, asOf }) : profile] as const;
        }),
      );
    },
  };
}

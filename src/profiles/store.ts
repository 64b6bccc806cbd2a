import type { Database } from "../database.ts";
import { failure, ok, type Result } from "../lib/result.ts";
import { formatTimestamp } from "../lib/time.ts";
import { foreignProfileSchema, type Profile, type ProfileFields } from "./profile.ts";

export interface StoredProfile {
  readonly id: string;
  readonly updatedAt: number;
  /** As JSON. */
  readonly profile: string;
}

/**
 * Puts a profile in the place of what was there.
 * @param now milliseconds since the epoch
 * @returns whether there was none before
 * @throws {Problem} `database-unavailable`.
 */
export async function putProfile(
  database: Database,
  id: string,
  profile: ProfileFields,
  now: number,
): Promise<boolean> {
  const [row] = await database.query<{ readonly version: number }>({
    sql: `INSERT INTO profiles (id, version, updated_at, profile) VALUES (?, 1, ?, ?)
          ON CONFLICT (id) DO UPDATE SET
            version = version + 1, updated_at = excluded.updated_at, profile = excluded.profile
          RETURNING version`,
    parameters: [id, now, JSON.stringify(profile)],
  });
  return row?.version === 1;
}

/** @throws {Problem} `database-unavailable`. */
export async function getProfile(database: Database, id: string): Promise<Profile | null> {
  const [row] = await findProfiles(database, [id]);
  if (row === undefined) return null;
  const profile = readProfile(row);
  if (profile.ok) return profile.value;
  throw new Error(`What is stored of profile ${id} ${profile.error}`);
}

/** Leaves no profile, also where there was none. @throws {Problem} `database-unavailable`. */
export async function deleteProfile(database: Database, id: string): Promise<void> {
  await database.query({ sql: "DELETE FROM profiles WHERE id = ?", parameters: [id] });
}

/** The profiles of all ids in one statement, in no order. @throws {Problem} `database-unavailable`. */
export function findProfiles(database: Database, ids: readonly string[]): Promise<readonly StoredProfile[]> {
  return database.query<StoredProfile>({
    sql: `SELECT id, updated_at AS updatedAt, profile FROM profiles
          WHERE id IN (SELECT value FROM json_each(?))`,
    parameters: [JSON.stringify(ids)],
  });
}

/** What a row holds; in words what is wrong with it where somebody wrote past the interface. */
export function readProfile({ updatedAt, profile }: StoredProfile): Result<Profile, string> {
  const fields = foreignProfileSchema.safeParse(parse(profile));
  if (!fields.success) return failure("is no profile");
  return ok({ ...fields.data, updatedAt: formatTimestamp(updatedAt) });
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

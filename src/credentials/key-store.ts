import type { Database } from "../database.ts";
import { formatTimestamp } from "../lib/time.ts";
import type { ApiKey } from "./api-key.ts";
import { isScope, type Scope } from "./scopes.ts";

/** A key of the database; one that is revoked is known, and opens nothing. */
export interface StoredKey extends ApiKey {
  readonly isRevoked: boolean;
}

/** A key as operators see it. */
export interface KeyView {
  readonly id: string;
  readonly scopes: readonly Scope[];
  readonly subject?: string;
  readonly createdAt: string;
  readonly createdBy: string;
  readonly revokedAt?: string;
  readonly revokedBy?: string;
}

export interface NewKey {
  readonly id: string;
  /** In hex. */
  readonly sha256: string;
  readonly scopes: readonly Scope[];
  readonly subject: string | undefined;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly createdBy: string;
}

interface Row {
  readonly id: string;
  readonly scopes: string;
  readonly subject: string | null;
}

/** A key by its id. @throws {Problem} `database-unavailable`. */
export async function findKey(database: Database, id: string): Promise<StoredKey | null> {
  const [row] = await database.query<Row & { readonly sha256: string; readonly revokedAt: number | null }>({
    sql: "SELECT id, sha256, scopes, subject, revoked_at AS revokedAt FROM api_keys WHERE id = ?",
    parameters: [id],
  });
  if (row === undefined) return null;
  const { sha256, revokedAt } = row;
  const scopes = new Set(scopesOf(row));
  return { ...keyOf(row), scopes, sha256, isRevoked: revokedAt !== null };
}

/**
 * Keeps a new key.
 * @returns false where its id is or was another's
 * @throws {Problem} `database-unavailable`.
 */
export async function addKey(database: Database, key: NewKey): Promise<boolean> {
  const rows = await database.query({
    sql: `INSERT INTO api_keys (id, sha256, scopes, subject, created_at, created_by) VALUES (?, ?, ?, ?, ?, ?)
          ON CONFLICT (id) DO NOTHING RETURNING id`,
    parameters: [
      key.id,
      key.sha256,
      JSON.stringify(key.scopes),
      key.subject ?? null,
      key.createdAt,
      key.createdBy,
    ],
  });
  return rows.length > 0;
}

/**
 * Ends a key. The first revocation stands.
 * @returns whether there is such a key
 * @throws {Problem} `database-unavailable`.
 */
export async function revokeKey(database: Database, id: string, by: string, now: number): Promise<boolean> {
  const rows = await database.query({
    sql: `UPDATE api_keys SET
            revoked_at = coalesce(revoked_at, ?), revoked_by = coalesce(revoked_by, ?)
          WHERE id = ? RETURNING id`,
    parameters: [now, by, id],
  });
  return rows.length > 0;
}

/** Those of some keys that are revoked. @throws {Problem} `database-unavailable`. */
export async function findRevoked(database: Database, ids: readonly string[]): Promise<string[]> {
  const rows = await database.query<{ readonly id: string }>({
    sql: `SELECT id FROM api_keys
          WHERE revoked_at IS NOT NULL AND id IN (SELECT value FROM json_each(?))`,
    parameters: [JSON.stringify(ids)],
  });
  return rows.map(({ id }) => id);
}

const viewColumns = `id, scopes, subject, created_at AS createdAt, created_by AS createdBy,
  revoked_at AS revokedAt, revoked_by AS revokedBy`;

interface ViewRow extends Row {
  readonly createdAt: number;
  readonly createdBy: string;
  readonly revokedAt: number | null;
  readonly revokedBy: string | null;
}

/** @throws {Problem} `database-unavailable`. */
export async function getKey(database: Database, id: string): Promise<KeyView | null> {
  const [row] = await database.query<ViewRow>({
    sql: `SELECT ${viewColumns} FROM api_keys WHERE id = ?`,
    parameters: [id],
  });
  return row === undefined ? null : viewOf(row);
}

/** Keys by their ids, behind one of them; revoked ones too. @throws {Problem} `database-unavailable`. */
export async function listKeys(
  database: Database,
  { after = "", limit }: { readonly after?: string | undefined; readonly limit: number },
): Promise<{ readonly keys: readonly KeyView[]; readonly next?: string }> {
  const rows = await database.query<ViewRow>({
    sql: `SELECT ${viewColumns} FROM api_keys WHERE id > ? ORDER BY id LIMIT ?`,
    parameters: [after, limit + 1],
  });
  const keys = rows.slice(0, limit).map(viewOf);
  const last = keys.at(-1);
  return rows.length > limit && last !== undefined ? { keys, next: last.id } : { keys };
}

function viewOf(row: ViewRow): KeyView {
  return {
    ...keyOf(row),
    scopes: scopesOf(row),
    createdAt: formatTimestamp(row.createdAt),
    createdBy: row.createdBy,
    ...(row.revokedAt === null ? {} : { revokedAt: formatTimestamp(row.revokedAt) }),
    ...(row.revokedBy === null ? {} : { revokedBy: row.revokedBy }),
  };
}

function keyOf({ id, subject }: Row): { readonly id: string; readonly subject?: string } {
  return subject === null ? { id } : { id, subject };
}

/** Those that this version of Gavel knows: a key that an older or newer one made gains nothing. */
function scopesOf({ scopes }: Row): Scope[] {
  return (JSON.parse(scopes) as string[]).filter(isScope);
}

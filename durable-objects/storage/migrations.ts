import type { PartitionStorage } from "../dependencies.ts";

/**
 * The schema of group `auction`, as numbered migrations: appended to, never changed. docs/storage.md explains each
 * table and what a row costs. No secondary index but the one that `sort=newest` needs.
 */
export const auctionMigrations: readonly (readonly string[])[] = [
  [
    `CREATE TABLE partition_state (id INTEGER PRIMARY KEY CHECK (id = 1), state TEXT NOT NULL)`,
    `CREATE TABLE items (item_id TEXT PRIMARY KEY, open_since INTEGER, state TEXT NOT NULL) WITHOUT ROWID`,
    `CREATE INDEX items_newest ON items (open_since, item_id) WHERE open_since IS NOT NULL`,
    `CREATE TABLE terms (item_id TEXT PRIMARY KEY, rules TEXT NOT NULL, terms TEXT NOT NULL) WITHOUT ROWID`,
    `CREATE TABLE tombstones (item_id TEXT PRIMARY KEY, withdrawn INTEGER NOT NULL) WITHOUT ROWID`,
    `CREATE TABLE timers (due INTEGER NOT NULL, item_id TEXT NOT NULL, PRIMARY KEY (due, item_id)) WITHOUT ROWID`,
    `CREATE TABLE departures (due INTEGER NOT NULL, item_id TEXT NOT NULL, position INTEGER NOT NULL,
       PRIMARY KEY (due, item_id)) WITHOUT ROWID`,
    `CREATE TABLE waiting (offset INTEGER PRIMARY KEY, expires_at INTEGER NOT NULL, item_id TEXT NOT NULL,
       event TEXT NOT NULL)`,
    `CREATE TABLE entries (page INTEGER PRIMARY KEY, stream_time INTEGER NOT NULL, entries TEXT NOT NULL)`,
    `CREATE TABLE seen_runs (id INTEGER PRIMARY KEY, first_number INTEGER NOT NULL, last_number INTEGER NOT NULL,
       filter BLOB NOT NULL)`,
    `CREATE TABLE seen_slices (run INTEGER NOT NULL, slice INTEGER NOT NULL, lowest REAL NOT NULL,
       pairs BLOB NOT NULL, PRIMARY KEY (run, slice)) WITHOUT ROWID`,
    `CREATE TABLE categories (category TEXT NOT NULL, currency TEXT NOT NULL, totals TEXT NOT NULL,
       PRIMARY KEY (category, currency)) WITHOUT ROWID`,
    `CREATE TABLE windows (start INTEGER NOT NULL, category TEXT NOT NULL, currency TEXT NOT NULL,
       window TEXT NOT NULL, PRIMARY KEY (start, category, currency)) WITHOUT ROWID`,
    `CREATE TABLE cells (cell TEXT NOT NULL, country TEXT NOT NULL, totals TEXT NOT NULL,
       PRIMARY KEY (cell, country)) WITHOUT ROWID`,
    `CREATE TABLE outbox (id INTEGER PRIMARY KEY, topic TEXT NOT NULL, first_sequence INTEGER NOT NULL,
       position INTEGER NOT NULL, payload TEXT NOT NULL)`,
    `CREATE TABLE bookkeeping (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID`,
  ],
  // It is looked for once more, with more about it, and is the same.
  [`DELETE FROM bookkeeping WHERE name = 'sent_before'`],
  [
    `CREATE TABLE bidder_runs (id INTEGER PRIMARY KEY, first_number INTEGER NOT NULL, last_number INTEGER NOT NULL,
       filter BLOB NOT NULL)`,
    `CREATE TABLE bidder_slices (run INTEGER NOT NULL, slice INTEGER NOT NULL, lowest REAL NOT NULL,
       pairs BLOB NOT NULL, PRIMARY KEY (run, slice)) WITHOUT ROWID`,
  ],
  [
    `ALTER TABLE partition_state ADD COLUMN trail_hashes BLOB`,
    `ALTER TABLE partition_state ADD COLUMN trail_steps BLOB`,
    `CREATE TABLE trail (page INTEGER PRIMARY KEY, hashes BLOB NOT NULL, steps BLOB NOT NULL)`,
  ],
  // Who is to be told of which item's changes. No part of the state: a rebuild does without it.
  [
    `CREATE TABLE followers (feed TEXT NOT NULL, item_id TEXT NOT NULL, PRIMARY KEY (feed, item_id)) WITHOUT ROWID`,
  ],
];

/**
 * Brings the schema to the newest version; safe to call at every start.
 * @param migrations the object's schema
 * @throws when the storage was written by a newer Gavel than this one.
 */
export function migrate(storage: PartitionStorage, migrations: readonly (readonly string[])[]): void {
  storage.run(`CREATE TABLE IF NOT EXISTS migrations (version INTEGER PRIMARY KEY)`);
  const [row] = storage.all<{ version: number | null }>(`SELECT max(version) AS version FROM migrations`);
  const current = row?.version ?? 0;
  if (current > migrations.length) {
    throw new Error(`the storage has schema version ${current}, this Gavel knows ${migrations.length}`);
  }
  migrations.slice(current).forEach((statements, index) => {
    storage.transaction(() => {
      for (const statement of statements) storage.run(statement);
      storage.run(`INSERT INTO migrations (version) VALUES (?)`, current + index + 1);
    });
  });
}

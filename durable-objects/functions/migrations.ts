/**
 * The schema of a group of functions, as numbered migrations: appended to, never changed.
 * docs/storage.md explains each table and what a row costs.
 */
export const functionMigrations: readonly (readonly string[])[] = [
  [
    `CREATE TABLE group_state (id INTEGER PRIMARY KEY CHECK (id = 1), state TEXT NOT NULL)`,
    `CREATE TABLE deliveries (function TEXT PRIMARY KEY, ledger TEXT NOT NULL) WITHOUT ROWID`,
    `CREATE TABLE parked (function TEXT NOT NULL, record_offset INTEGER NOT NULL, lane TEXT NOT NULL,
       characters INTEGER NOT NULL, attempts INTEGER NOT NULL, not_before INTEGER NOT NULL,
       first_attempt_at INTEGER, error TEXT NOT NULL, redriven INTEGER NOT NULL,
       record_timestamp INTEGER NOT NULL, record_key TEXT NOT NULL, record_value TEXT NOT NULL,
       record_headers TEXT NOT NULL, PRIMARY KEY (function, record_offset)) WITHOUT ROWID`,
    `CREATE TABLE dead_letters (id INTEGER PRIMARY KEY, function TEXT NOT NULL, record_offset INTEGER NOT NULL,
       record_key TEXT NOT NULL, attempts INTEGER NOT NULL, redriven INTEGER NOT NULL, error TEXT NOT NULL,
       ended_at INTEGER NOT NULL)`,
    `CREATE TABLE outbox (id INTEGER PRIMARY KEY, topic TEXT NOT NULL, first_sequence INTEGER NOT NULL,
       position INTEGER NOT NULL, payload TEXT NOT NULL)`,
    `CREATE TABLE bookkeeping (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID`,
  ],
  [
    `ALTER TABLE deliveries ADD COLUMN trail TEXT NOT NULL DEFAULT ''`,
    `CREATE TABLE trail_pages (function TEXT NOT NULL, page INTEGER NOT NULL, lowest INTEGER NOT NULL,
       highest INTEGER NOT NULL, calls TEXT NOT NULL, PRIMARY KEY (function, page)) WITHOUT ROWID`,
  ],
];

import { auctionMigrations } from "../storage/migrations.ts";

/** Of a replay's own object: how far it is and what it has. A text may take several rows. */
const workSchema: readonly string[] = [
  `CREATE TABLE replay_progress (id INTEGER PRIMARY KEY CHECK (id = 1), progress TEXT NOT NULL)`,
  `CREATE TABLE texts (name TEXT NOT NULL, part INTEGER NOT NULL, text TEXT NOT NULL,
     PRIMARY KEY (name, part)) WITHOUT ROWID`,
];

/** The schema of an object that concludes. */
export const conclusionMigrations: readonly (readonly string[])[] = [workSchema];

/**
 * The schema of an object that reads: with a reducer's tables behind its own, which are appended to
 * where the reducer's are, so that a replay outlives a deploy.
 */
export const partMigrations: readonly (readonly string[])[] = [workSchema, ...auctionMigrations];

/** The schema of the catalog, as numbered migrations: appended to, never changed. */
export const catalogMigrations: readonly (readonly string[])[] = [
  [
    // `settled_at`: when it ended, once nothing is left to be done for it.
    `CREATE TABLE replays (id TEXT PRIMARY KEY, settled_at INTEGER, replay TEXT NOT NULL) WITHOUT ROWID`,
    `CREATE TABLE parts (replay_id TEXT NOT NULL, partition INTEGER NOT NULL, part TEXT NOT NULL,
       PRIMARY KEY (replay_id, partition)) WITHOUT ROWID`,
    `CREATE TABLE texts (name TEXT NOT NULL, part INTEGER NOT NULL, text TEXT NOT NULL,
       PRIMARY KEY (name, part)) WITHOUT ROWID`,
  ],
];

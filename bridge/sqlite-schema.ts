import { DatabaseSync } from "node:sqlite";

/**
 * One row per commit and partition holds a run of records, already serialised.
 *
 * `id` is `partition * OFFSET_SPAN + first offset`: an integer key, so a partition's chunks lie
 * side by side in offset order and neither a second index nor a composite key is needed.
 * `highest_timestamp` is the highest of the partition up to and including this chunk. It never
 * falls from chunk to chunk although timestamps may, so a look-up by time can bisect.
 */
const migrations = [
  `CREATE TABLE partitions (
     id INTEGER PRIMARY KEY,
     topic TEXT NOT NULL,
     number INTEGER NOT NULL,
     UNIQUE (topic, number)
   );
   CREATE TABLE chunks (
     id INTEGER PRIMARY KEY,
     records INTEGER NOT NULL,
     highest_timestamp INTEGER NOT NULL,
     data BLOB NOT NULL
   );`,
];

/** Offsets per partition in a chunk's id: 2^40 of them, for 2^13 partitions, fill a safe integer. */
export const OFFSET_SPAN = 2 ** 40;
export const MAX_PARTITIONS = 2 ** 13 - 1;

/**
 * Opens the file and brings its schema up to date.
 *
 * `synchronous=FULL` in WAL mode syncs at every commit: what a commit returns from is on disk.
 * The exclusive lock keeps a second bridge, whose offsets would collide, off the same file.
 * @throws {Error} with a plain sentence when the file is in use or newer than this program.
 */
export function openDatabase(file: string): DatabaseSync {
  const database = new DatabaseSync(file);
  try {
    database.exec("PRAGMA page_size = 16384");
    database.exec("PRAGMA locking_mode = EXCLUSIVE");
    database.exec("PRAGMA journal_mode = WAL");
    database.exec("PRAGMA synchronous = FULL");
    database.exec("PRAGMA wal_autocheckpoint = 512");
    migrate(database, file);
  } catch (error) {
    database.close();
    if (error instanceof Error && /database is locked/.test(error.message)) {
      throw new Error(`The log ${file} is in use by another process.`, { cause: error });
    }
    throw error;
  }
  return database;
}

function migrate(database: DatabaseSync, file: string): void {
  const version = Number(database.prepare("PRAGMA user_version").get()?.["user_version"] ?? 0);
  if (version > migrations.length) {
    throw new Error(`The log ${file} was written by a newer version of the bridge.`);
  }
  database.exec("BEGIN IMMEDIATE");
  for (const migration of migrations.slice(version)) database.exec(migration);
  database.exec(`PRAGMA user_version = ${migrations.length}`);
  database.exec("COMMIT");
}

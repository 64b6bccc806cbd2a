import { DatabaseSync } from "node:sqlite";

/** Beside these, each partition has a table for its chunks (sqlite-chunks.ts). */
const migrations = [
  `CREATE TABLE partitions (
     id INTEGER PRIMARY KEY,
     topic TEXT NOT NULL,
     number INTEGER NOT NULL,
     UNIQUE (topic, number)
   );`,
  // A log that is made anew gets other ids: who kept positions in the old one can tell.
  `CREATE TABLE topics (
     name TEXT PRIMARY KEY,
     id TEXT NOT NULL
   ) WITHOUT ROWID;
   INSERT INTO topics (name, id) SELECT DISTINCT topic, lower(hex(randomblob(16))) FROM partitions;`,
  `CREATE TABLE committed_offsets (
     "group" TEXT NOT NULL,
     topic TEXT NOT NULL,
     partition INTEGER NOT NULL,
     "offset" INTEGER NOT NULL,
     note TEXT NOT NULL,
     PRIMARY KEY ("group", topic, partition)
   ) WITHOUT ROWID;`,
];

const PAGE_BYTES = 8 * 1024;
const CHECKPOINT_BYTES = 8 * 1024 * 1024;

/**
 * Opens the file and brings its schema up to date.
 *
 * `synchronous=FULL` in WAL mode syncs at every commit: what a commit returns from is on disk.
 * The exclusive lock keeps a second bridge, whose offsets would collide, off the same file; the
 * system lets go of it when the process ends, however it ends. Pages are large enough for
 * packed chunks and small enough for single records; a short write-ahead log keeps the pause of a checkpoint short (docs/bridge.md has the figures).
 * @param maxBytes where the file stops growing; appends then fail and reads go on.
 * @throws {Error} with a plain sentence when the file is in use, newer, or cannot be opened.
 */
export function openDatabase(file: string, maxBytes: number): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file);
    database.exec(`
      PRAGMA page_size = ${PAGE_BYTES};
      PRAGMA locking_mode = EXCLUSIVE;
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA wal_autocheckpoint = ${CHECKPOINT_BYTES / PAGE_BYTES};
      PRAGMA journal_size_limit = ${2 * CHECKPOINT_BYTES};`);
    migrate(database);
    const pageBytes = Number(database.prepare("PRAGMA page_size").get()?.["page_size"]);
    if (maxBytes < Infinity) database.exec(`PRAGMA max_page_count = ${Math.floor(maxBytes / pageBytes)}`);
    return database;
  } catch (error) {
    database?.close();
    throw plain(error, file);
  }
}

function plain(error: unknown, file: string): Error {
  const reason = error instanceof Error ? error.message : String(error);
  if (reason === "database is locked") {
    return new Error(`The log ${file} is in use by another process.`, { cause: error });
  }
  return new Error(`The log ${file} cannot be opened: ${reason}.`, { cause: error });
}

function migrate(database: DatabaseSync): void {
  const version = Number(database.prepare("PRAGMA user_version").get()?.["user_version"] ?? 0);
  if (version > migrations.length) {
    throw new Error("a newer version of the bridge wrote it");
  }
  database.exec("BEGIN IMMEDIATE");
  for (const migration of migrations.slice(version)) database.exec(migration);
  database.exec(`PRAGMA user_version = ${migrations.length}`);
  database.exec("COMMIT");
}

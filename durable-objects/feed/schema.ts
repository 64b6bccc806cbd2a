/** The schema of a Feed object, as numbered migrations: appended to, never changed. */
export const feedSchema: readonly (readonly string[])[] = [
  [
    `CREATE TABLE tickets (hash TEXT PRIMARY KEY, holder TEXT NOT NULL, expires_at INTEGER NOT NULL) WITHOUT ROWID`,
    `CREATE TABLE told (partition INTEGER PRIMARY KEY)`,
  ],
];

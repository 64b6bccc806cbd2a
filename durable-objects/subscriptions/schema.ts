/** The schema of the Subscriptions object, as numbered migrations: appended to, never changed. */
export const subscriptionsSchema: readonly (readonly string[])[] = [
  [
    `CREATE TABLE subscriptions (id TEXT PRIMARY KEY, subscription TEXT NOT NULL) WITHOUT ROWID`,
    // Apart, so that what is answered and logged is made of rows that hold no secret.
    `CREATE TABLE secrets (subscription_id TEXT NOT NULL, number INTEGER NOT NULL, secret TEXT NOT NULL,
       created_at INTEGER NOT NULL, expires_at INTEGER, PRIMARY KEY (subscription_id, number)) WITHOUT ROWID`,
    `CREATE TABLE version (id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL)`,
  ],
];

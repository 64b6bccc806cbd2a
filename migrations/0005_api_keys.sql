-- API keys that operators make while Gavel runs, beside those of the secret API_KEYS: docs/operations.md.
CREATE TABLE api_keys (
  id TEXT NOT NULL PRIMARY KEY,
  -- Of the whole key, in hex. The key itself is nowhere.
  sha256 TEXT NOT NULL,
  -- A JSON array.
  scopes TEXT NOT NULL,
  subject TEXT,
  created_at INTEGER NOT NULL,
  -- Credentials.
  created_by TEXT NOT NULL,
  -- A key that is revoked stays, so that no other gets its id, which records carry.
  revoked_at INTEGER,
  revoked_by TEXT
) WITHOUT ROWID;

-- Sellers and bidders, as `PUT /v1/profiles/{id}` wrote them: docs/enrich.md.
CREATE TABLE profiles (
  id TEXT PRIMARY KEY,
  -- 1 when it was made, one more with every change.
  version INTEGER NOT NULL,
  -- Milliseconds since the epoch.
  updated_at INTEGER NOT NULL,
  -- displayName, country, rating, attributes, as JSON.
  profile TEXT NOT NULL
) WITHOUT ROWID;

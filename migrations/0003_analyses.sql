-- Who bid on which finished auction, and what came of analysing them: docs/analyses.md. Sorted by
-- bidder within a category, so that counting a bidder's auctions needs nothing but reading on. Without a
-- row id, the primary key is the table itself: one row written for a bidder of an auction.
CREATE TABLE participations (
  category TEXT NOT NULL,
  bidder_id TEXT NOT NULL,
  item_id TEXT NOT NULL,
  PRIMARY KEY (category, bidder_id, item_id)
) WITHOUT ROWID;

CREATE TABLE analyses (
  -- A category, or `{category}:{attribute}={value}`.
  id TEXT PRIMARY KEY,
  -- When its run began; an older one never takes the place of a newer one. Milliseconds since the epoch.
  as_of INTEGER NOT NULL,
  -- As JSON.
  result TEXT NOT NULL
) WITHOUT ROWID;

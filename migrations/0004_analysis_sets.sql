-- The sets of an attribute's value, so that analysing one reads its own rows and no others: docs/analyses.md.
-- A value that is analysed. How many an attribute of a category may have is bounded.
CREATE TABLE analysed_sets (
  category TEXT NOT NULL,
  attribute TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (category, attribute, value)
) WITHOUT ROWID;

-- Which finished auctions are in it. An auction that completed twice may have left its set: its row in
-- `auctions` tells.
CREATE TABLE set_auctions (
  -- `{category}:{attribute}={value}`.
  set_id TEXT NOT NULL,
  item_id TEXT NOT NULL,
  PRIMARY KEY (set_id, item_id)
) WITHOUT ROWID;

-- As `participations`, for such a set: its bidders in their order.
CREATE TABLE set_participations (
  set_id TEXT NOT NULL,
  bidder_id TEXT NOT NULL,
  item_id TEXT NOT NULL,
  PRIMARY KEY (set_id, bidder_id, item_id)
) WITHOUT ROWID;

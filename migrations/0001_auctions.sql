-- The read model of finished auctions: docs/read-model.md explains each table and what a row costs.
-- Without a row id, the primary key is the table itself: one row written less for each auction.
CREATE TABLE auctions (
  item_id TEXT PRIMARY KEY,
  -- Of the event in its partition's output topic: a lower one never takes the place of a higher one.
  sequence INTEGER NOT NULL,
  -- Milliseconds since the epoch.
  closed_at INTEGER NOT NULL,
  category TEXT NOT NULL,
  currency TEXT NOT NULL,
  -- sold, unsold or withdrawn.
  status TEXT NOT NULL,
  -- In minor units; null where nothing was sold.
  price INTEGER,
  bids INTEGER NOT NULL,
  -- The event's data as JSON.
  data TEXT NOT NULL
) WITHOUT ROWID;

CREATE INDEX auctions_closed ON auctions (closed_at, item_id);

-- What the totals are made of is in the index itself: no row of the table is read for them.
CREATE INDEX auctions_category ON auctions (category, closed_at, item_id, currency, status, price, bids);

-- Made again from `auctions` whenever an auction of the hour changes. A sum of prices passes 2^53, so
-- that it is kept in two parts: gross_high * 2^26 + gross_low.
CREATE TABLE auction_totals (
  -- Since the epoch, in UTC.
  day INTEGER NOT NULL,
  category TEXT NOT NULL,
  currency TEXT NOT NULL,
  hour INTEGER NOT NULL,
  sold INTEGER NOT NULL,
  unsold INTEGER NOT NULL,
  withdrawn INTEGER NOT NULL,
  bids INTEGER NOT NULL,
  gross_high INTEGER NOT NULL,
  gross_low INTEGER NOT NULL,
  PRIMARY KEY (day, category, currency, hour)
) WITHOUT ROWID;

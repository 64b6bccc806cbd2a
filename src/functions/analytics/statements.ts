import type { Statement } from "../../database.ts";
import type { AuctionRow, TotalsHour } from "./auction-row.ts";

/**
 * Each statement takes all its rows as one parameter of JSON: D1 binds at most 100 parameters, and a
 * call of some hundred records is a few statements.
 */

/** Characters of one parameter at most: under D1's 2 MB also where each is three bytes of UTF-8. */
const mostCharacters = 600_000;

/** What is stored of the items now. */
export function selectStored(itemIds: readonly string[]): Statement {
  return {
    sql: `SELECT item_id AS itemId, sequence, closed_at AS closedAt, category, currency FROM auctions
          WHERE item_id IN (SELECT value FROM json_each(?))`,
    parameters: [JSON.stringify(itemIds)],
  };
}

const upsert = `
  INSERT INTO auctions (item_id, sequence, closed_at, category, currency, status, price, bids, data)
  SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6,
         value ->> 7, value ->> 8
  FROM json_each(?) WHERE true
  ON CONFLICT (item_id) DO UPDATE SET
    sequence = excluded.sequence, closed_at = excluded.closed_at, category = excluded.category,
    currency = excluded.currency, status = excluded.status, price = excluded.price, bids = excluded.bids,
    data = excluded.data
  WHERE excluded.sequence > auctions.sequence`;

/** Writes the rows, each unless what is stored of its item is as new: that is no row written. */
export function upsertAuctions(rows: readonly AuctionRow[]): Statement[] {
  const statements: Statement[] = [];
  let slice: string[] = [];
  let characters = 0;
  const close = () => {
    if (slice.length > 0) statements.push({ sql: upsert, parameters: [`[${slice.join(",")}]`] });
    slice = [];
    characters = 0;
  };
  for (const row of rows) {
    const { itemId, sequence, closedAt, category, currency, status, price, bids, data } = row;
    const json = JSON.stringify([itemId, sequence, closedAt, category, currency, status, price, bids, data]);
    if (characters + json.length > mostCharacters) close();
    slice.push(json);
    characters += json.length + 1;
  }
  close();
  return statements;
}

/** Takes away the totals of those of the hours that have no auction. */
export function deleteEmptyTotals(hours: readonly TotalsHour[]): Statement {
  return {
    sql: `DELETE FROM auction_totals AS total
          WHERE (day, category, currency, hour) IN
            (SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?))
          AND NOT EXISTS (
            SELECT 1 FROM auctions
            WHERE auctions.category = total.category AND auctions.currency = total.currency
              AND closed_at >= (total.day * 24 + total.hour) * 3600000
              AND closed_at < (total.day * 24 + total.hour + 1) * 3600000)`,
    parameters: [JSON.stringify(hours)],
  };
}

/**
 * Counts the auctions of the hours, whatever the totals were before, so that it may be repeated;
 * totals that are right already are no row written. Only the index `auctions_category` is read.
 */
export function countTotals(hours: readonly TotalsHour[]): Statement {
  return {
    sql: `
      INSERT INTO auction_totals
        (day, category, currency, hour, sold, unsold, withdrawn, bids, gross_high, gross_low)
      SELECT changed.day, changed.category, changed.currency, changed.hour,
             sum(status = 'sold'), sum(status = 'unsold'), sum(status = 'withdrawn'), sum(bids),
             sum(ifnull(price, 0) >> 26), sum(ifnull(price, 0) & 0x3ffffff)
      FROM (SELECT value ->> 0 AS day, value ->> 1 AS category, value ->> 2 AS currency, value ->> 3 AS hour
            FROM json_each(?)) AS changed
        CROSS JOIN auctions
          ON auctions.category = changed.category AND auctions.currency = changed.currency
          AND closed_at >= (changed.day * 24 + changed.hour) * 3600000
          AND closed_at < (changed.day * 24 + changed.hour + 1) * 3600000
      GROUP BY changed.day, changed.category, changed.currency, changed.hour
      ON CONFLICT DO UPDATE SET
        sold = excluded.sold, unsold = excluded.unsold, withdrawn = excluded.withdrawn,
        bids = excluded.bids, gross_high = excluded.gross_high, gross_low = excluded.gross_low
      WHERE (excluded.sold, excluded.unsold, excluded.withdrawn, excluded.bids, excluded.gross_high,
             excluded.gross_low)
         IS NOT (auction_totals.sold, auction_totals.unsold, auction_totals.withdrawn, auction_totals.bids,
                 auction_totals.gross_high, auction_totals.gross_low)`,
    parameters: [JSON.stringify(hours)],
  };
}

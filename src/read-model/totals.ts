import type { Database, SqlParameter } from "../database.ts";

/** The finished auctions of one category and currency that closed on one day. */
export interface DayTotals {
  /** Days since the epoch, in UTC. */
  readonly day: number;
  readonly category: string;
  readonly currency: string;
  readonly sold: number;
  readonly unsold: number;
  readonly withdrawn: number;
  readonly bids: number;
  /** Of what was sold, in minor units; may pass 2^53. */
  readonly grossValue: bigint;
}

/** A place in the totals: they are sorted by day, category and currency. */
export type TotalsPlace = Pick<DayTotals, "day" | "category" | "currency">;

export interface TotalsQuery {
  readonly category?: string;
  readonly currency?: string;
  /** From this day on, and before `to`; days since the epoch. */
  readonly from?: number;
  readonly to?: number;
  readonly limit: number;
  /** Only what comes behind it. */
  readonly after?: TotalsPlace;
}

export interface TotalsPage {
  readonly totals: readonly DayTotals[];
  /** Where the next page starts; absent at the end. */
  readonly next?: TotalsPlace;
}

interface Row extends Omit<DayTotals, "grossValue"> {
  readonly grossHigh: number;
  readonly grossLow: number;
}

/**
 * Totals of days, the earliest first, summed from those of their hours in the order of the table, so
 * that no more of it is read than the page needs.
 * @throws {Problem} `database-unavailable`.
 */
export async function listTotals(database: Database, query: TotalsQuery): Promise<TotalsPage> {
  const { category, currency, from, to, limit, after } = query;
  const conditions: string[] = ["true"];
  const parameters: SqlParameter[] = [];
  const require = (sql: string, ...values: SqlParameter[]) => {
    conditions.push(sql);
    parameters.push(...values);
  };
  // The plus keeps SQLite from taking the column for a constant and out of the grouping, which would
  // then no longer be the table's order and have to be sorted.
  if (category !== undefined) require("+category = ?", category);
  if (currency !== undefined) require("+currency = ?", currency);
  if (from !== undefined) require("day >= ?", from);
  if (to !== undefined) require("day < ?", to);
  if (after !== undefined) {
    require("(day, category, currency) > (?, ?, ?)", after.day, after.category, after.currency);
  }
  const rows = await database.query<Row>({
    sql: `SELECT day, category, currency, sum(sold) AS sold, sum(unsold) AS unsold,
                 sum(withdrawn) AS withdrawn, sum(bids) AS bids,
                 sum(gross_high) AS grossHigh, sum(gross_low) AS grossLow
          FROM auction_totals WHERE ${conditions.join(" AND ")}
          GROUP BY day, category, currency ORDER BY day, category, currency LIMIT ?`,
    parameters: [...parameters, limit + 1],
  });
  const totals = rows.slice(0, limit).map(totalsOf);
  const last = totals.at(-1);
  if (rows.length <= limit || last === undefined) return { totals };
  return { totals, next: { day: last.day, category: last.category, currency: last.currency } };
}

function totalsOf({ grossHigh, grossLow, ...counts }: Row): DayTotals {
  return { ...counts, grossValue: BigInt(grossHigh) * 67_108_864n + BigInt(grossLow) };
}

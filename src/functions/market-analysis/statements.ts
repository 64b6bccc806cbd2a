import type { Statement } from "../../database.ts";
import type { Ending } from "./price-tally.ts";
import { analysisIdOf, type AttributeSet, type AuctionSet, isOfAttribute } from "./sets.ts";

/** An auction that the set has, or had before it completed once more. */
export interface AuctionRow extends Ending {
  readonly closedAt: number;
  readonly itemId: string;
  /** As the auction has it now; null where there is none. */
  readonly category: string | null;
  /** How many bidders it had, as it says. */
  readonly bidders: number;
  /** The set's attribute as JSON; null where the auction, or the set, has none. */
  readonly attribute: string | null;
}

export type AuctionPlace = readonly [closedAt: number, itemId: string];

/** A bidder of such an auction. */
export interface ParticipationRow {
  readonly bidderId: string;
  readonly itemId: string;
  /** As the auction has it now; null where there is none. */
  readonly category: string | null;
  readonly attribute: string | null;
}

export type ParticipationPlace = readonly [bidderId: string, itemId: string];

/**
 * The next auctions of the set behind a place, in the order of an index: `auctions_category`, or the
 * table that has the sets of attributes' values.
 */
export function selectAuctions(set: AuctionSet, after: AuctionPlace | null, limit: number): Statement {
  if (isOfAttribute(set)) return selectSetAuctions(set, after, limit);
  return {
    sql: `SELECT closed_at AS closedAt, item_id AS itemId, category, currency, status, price,
                 data ->> '$.bidders' AS bidders, NULL AS attribute
          FROM auctions WHERE category = ? AND (closed_at, item_id) > (?, ?)
          ORDER BY closed_at, item_id LIMIT ?`,
    parameters: [set.category, ...(after ?? [Number.MIN_SAFE_INTEGER, ""]), limit],
  };
}

/** The attribute comes as text, not as a value: JavaScript reads a number as the event's writer wrote it. */
function selectSetAuctions(set: AttributeSet, after: AuctionPlace | null, limit: number): Statement {
  return {
    sql: `SELECT ifnull(closed_at, 0) AS closedAt, set_auctions.item_id AS itemId, category, currency,
                 status, price, data ->> '$.bidders' AS bidders, data -> ? AS attribute
          FROM set_auctions LEFT JOIN auctions ON auctions.item_id = set_auctions.item_id
          WHERE set_id = ? AND set_auctions.item_id > ?
          ORDER BY set_auctions.item_id LIMIT ?`,
    parameters: [pathOf(set), analysisIdOf(set), after?.[1] ?? "", limit],
  };
}

/** The name has no quote in it: `checkAnalysed`. */
function pathOf({ attribute }: AttributeSet): string {
  return `$.attributes."${attribute.name}"`;
}

/** The next bidders of the set's auctions behind a place, sorted by bidder. */
export function selectParticipations(
  set: AuctionSet,
  after: ParticipationPlace | null,
  limit: number,
): Statement {
  const [table, column, attribute] = isOfAttribute(set)
    ? ["set_participations", "set_id", "data -> ?"]
    : ["participations", "category", "NULL"];
  return {
    sql: `SELECT bidder_id AS bidderId, pair.item_id AS itemId, auctions.category AS category,
                 ${attribute} AS attribute
          FROM ${table} AS pair LEFT JOIN auctions ON auctions.item_id = pair.item_id
          WHERE pair.${column} = ? AND (bidder_id, pair.item_id) > (?, ?)
          ORDER BY bidder_id, pair.item_id LIMIT ?`,
    parameters: [
      ...(isOfAttribute(set) ? [pathOf(set)] : []),
      analysisIdOf(set),
      ...(after ?? ["", ""]),
      limit,
    ],
  };
}

/** Puts a result in the place of the one before it, unless that began later. */
export function storeResult(id: string, asOf: number, result: object): Statement {
  return {
    sql: `INSERT INTO analyses (id, as_of, result) VALUES (?, ?, ?)
          ON CONFLICT (id) DO UPDATE SET as_of = excluded.as_of, result = excluded.result
          WHERE excluded.as_of >= analyses.as_of`,
    parameters: [id, asOf, JSON.stringify(result)],
  };
}

/** Who bid on what; a pair that is there already is no row written. */
export function insertParticipations(
  pairs: readonly (readonly [category: string, bidderId: string, itemId: string])[],
): Statement {
  return {
    sql: `INSERT INTO participations (category, bidder_id, item_id)
          SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?) WHERE true
          ON CONFLICT DO NOTHING`,
    parameters: [JSON.stringify(pairs)],
  };
}

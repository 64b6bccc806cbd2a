import type { Statement } from "../../database.ts";
import type { Ending } from "./price-tally.ts";
import type { AuctionSet } from "./sets.ts";

/** An auction of the set's category. */
export interface AuctionRow extends Ending {
  readonly closedAt: number;
  readonly itemId: string;
  /** How many bidders it had, as it says. */
  readonly bidders: number;
  /** The set's attribute as JSON; null where the auction, or the set, has none. */
  readonly attribute: string | null;
}

export type AuctionPlace = readonly [closedAt: number, itemId: string];

/** A bidder of an auction of the set's category. */
export interface ParticipationRow {
  readonly bidderId: string;
  readonly itemId: string;
  /** As the auction has it now; null where there is none. */
  readonly category: string | null;
  readonly attribute: string | null;
}

export type ParticipationPlace = readonly [bidderId: string, itemId: string];

/** Text, not a value: a number is then read by JavaScript as the event's writer wrote it. */
function attributeOf({ attribute }: AuctionSet): Statement {
  if (attribute === undefined) return { sql: "NULL", parameters: [] };
  // The name has no quote in it: `checkAnalysed`.
  return { sql: "auctions.data -> ?", parameters: [`$.attributes."${attribute.name}"`] };
}

/** The next auctions of the category behind a place, in the order of the index `auctions_category`. */
export function selectAuctions(set: AuctionSet, after: AuctionPlace | null, limit: number): Statement {
  const attribute = attributeOf(set);
  return {
    sql: `SELECT closed_at AS closedAt, item_id AS itemId, currency, status, price,
                 data ->> '$.bidders' AS bidders, ${attribute.sql} AS attribute
          FROM auctions WHERE category = ? AND (closed_at, item_id) > (?, ?)
          ORDER BY closed_at, item_id LIMIT ?`,
    parameters: [...attribute.parameters, set.category, ...(after ?? [Number.MIN_SAFE_INTEGER, ""]), limit],
  };
}

/**
 * The next bidders of the category's auctions behind a place, sorted by bidder. What is not in the set
 * is among them, so that a page costs the same whatever the set is.
 */
export function selectParticipations(
  set: AuctionSet,
  after: ParticipationPlace | null,
  limit: number,
): Statement {
  const attribute = attributeOf(set);
  return {
    sql: `SELECT bidder_id AS bidderId, participations.item_id AS itemId, auctions.category AS category,
                 ${attribute.sql} AS attribute
          FROM participations LEFT JOIN auctions ON auctions.item_id = participations.item_id
          WHERE participations.category = ? AND (bidder_id, participations.item_id) > (?, ?)
          ORDER BY bidder_id, participations.item_id LIMIT ?`,
    parameters: [...attribute.parameters, set.category, ...(after ?? ["", ""]), limit],
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

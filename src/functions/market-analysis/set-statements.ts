import type { Statement } from "../../database.ts";
import type { AttributeSet } from "./sets.ts";

/** Sets as one parameter of JSON, in their order. */
function wantedOf(sets: readonly AttributeSet[]): string {
  return JSON.stringify(sets.map(({ category, attribute: { name, value } }) => [category, name, value]));
}

const wanted = `
  wanted AS (SELECT key AS place, value ->> 0 AS category, value ->> 1 AS attribute, value ->> 2 AS text
             FROM json_each(?))`;

const isAdmitted = `
  EXISTS (SELECT 1 FROM analysed_sets AS known
          WHERE known.category = wanted.category AND known.attribute = wanted.attribute
            AND known.value = wanted.text)`;

/** Which of the sets are analysed: their places in the list. */
export function selectAdmitted(sets: readonly AttributeSet[]): Statement {
  return {
    sql: `WITH ${wanted} SELECT place FROM wanted WHERE ${isAdmitted}`,
    parameters: [wantedOf(sets)],
  };
}

/** Has the sets analysed from now on, the first ones first, as long as their attribute has room. */
export function admitSets(sets: readonly AttributeSet[], most: number): Statement {
  return {
    sql: `WITH ${wanted},
            taken AS MATERIALIZED (
              SELECT category, attribute,
                     (SELECT count(*) FROM analysed_sets AS known
                      WHERE known.category = wanted.category AND known.attribute = wanted.attribute) AS sets
              FROM wanted GROUP BY category, attribute),
            new AS MATERIALIZED (
              SELECT category, attribute, text,
                     row_number() OVER (PARTITION BY category, attribute ORDER BY place) AS rank
              FROM wanted WHERE NOT ${isAdmitted})
          INSERT INTO analysed_sets (category, attribute, value)
          SELECT category, attribute, text FROM new JOIN taken USING (category, attribute)
          WHERE rank + sets <= ?
          ON CONFLICT DO NOTHING`,
    parameters: [wantedOf(sets), most],
  };
}

/** How many sets of attributes' values a category has. */
export function countSets(category: string): Statement {
  return {
    sql: "SELECT count(*) AS sets FROM analysed_sets WHERE category = ?",
    parameters: [category],
  };
}

/** Which auctions are in which set; what is there already is no row written. */
export function insertSetAuctions(pairs: readonly (readonly [setId: string, itemId: string])[]): Statement {
  return {
    sql: `INSERT INTO set_auctions (set_id, item_id)
          SELECT value ->> 0, value ->> 1 FROM json_each(?) WHERE true
          ON CONFLICT DO NOTHING`,
    parameters: [JSON.stringify(pairs)],
  };
}

/** Who bid on what in which set, likewise. */
export function insertSetParticipations(
  triples: readonly (readonly [setId: string, bidderId: string, itemId: string])[],
): Statement {
  return {
    sql: `INSERT INTO set_participations (set_id, bidder_id, item_id)
          SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?) WHERE true
          ON CONFLICT DO NOTHING`,
    parameters: [JSON.stringify(triples)],
  };
}

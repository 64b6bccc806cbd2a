import type { Database } from "../../database.ts";
import type { Outcome } from "../function.ts";
import type { Classified } from "./sets.ts";

/** What the read model knows of an item that is finished. */
export interface FinishedAuction extends Classified {
  readonly itemId: string;
  readonly sequence: number;
}

interface Row {
  readonly itemId: string;
  readonly sequence: number;
  readonly category: string;
  /** Pairs of a name and a value, as JSON; null where the auction has no such attribute. */
  readonly attributes: string;
}

/** The items that the read model has, each with those of the attributes that it has. @throws {Problem} */
export async function findFinished(
  database: Database,
  itemIds: ReadonlySet<string>,
  attributes: readonly string[],
): Promise<ReadonlyMap<string, FinishedAuction>> {
  if (itemIds.size === 0) return new Map();
  // Names have no quote in them: `checkAnalysed`.
  const rows = await database.query<Row>({
    sql: `SELECT item_id AS itemId, sequence, category,
                 (SELECT json_group_array(json_array(
                           name.value, json(auctions.data -> ('$.attributes."' || name.value || '"'))))
                  FROM json_each(?) AS name) AS attributes
          FROM auctions WHERE item_id IN (SELECT value FROM json_each(?))`,
    parameters: [JSON.stringify(attributes), JSON.stringify([...itemIds])],
  });
  return new Map(
    rows.map(({ attributes: pairs, ...row }) => [
      row.itemId,
      { ...row, attributes: Object.fromEntries(JSON.parse(pairs) as [string, unknown][]) },
    ]),
  );
}

/** Of a record whose auction the read model does not have. @param isPast whether it will not get it any more */
export function withoutAuction(isPast: boolean): Outcome {
  return isPast
    ? { status: "reject", reason: "the read model has gone on without the auction" }
    : { status: "retry", reason: "the read model does not have the auction yet" };
}

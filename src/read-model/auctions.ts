import type { Database, SqlParameter } from "../database.ts";
import type { CompletedAuction } from "../functions/completed-event.ts";
import type { Place } from "../lib/cursor.ts";

export interface AuctionQuery {
  readonly status?: CompletedAuction["outcome"];
  readonly category?: string;
  /** Each must be met: the attribute is this text, or the number or boolean that is written so. */
  readonly attributes: readonly (readonly [name: string, value: string])[];
  /** Closed from here on, and before `to`; milliseconds since the epoch. */
  readonly from?: number;
  readonly to?: number;
  readonly limit: number;
  /** Only what comes behind it. */
  readonly after?: Place;
}

export interface AuctionPage {
  readonly auctions: readonly CompletedAuction[];
  /** Where the next page starts; absent at the end. */
  readonly next?: Place;
}

/**
 * Rows that are looked at for one page. No index serves `status` and attributes, so that a filter
 * that hardly anything meets would otherwise read the whole table.
 */
const mostScanned = 2_000;

interface Row {
  readonly itemId: string;
  readonly closedAt: number;
  readonly data: string;
}

/**
 * Finished auctions, the last closed first. A page may be shorter than its limit, and `next` is there
 * all the same.
 * @throws {Problem} `database-unavailable`.
 */
export async function listAuctions(
  database: Database,
  query: AuctionQuery,
  scanned = mostScanned,
): Promise<AuctionPage> {
  const { limit } = query;
  const range = rangeOf(query);
  const filter = filterOf(query);
  const rows = await database.query<Row>({
    sql: `WITH scanned AS (SELECT item_id, closed_at, status, data FROM auctions WHERE ${range.sql}
                           ORDER BY closed_at DESC, item_id DESC LIMIT ?)
          SELECT item_id AS itemId, closed_at AS closedAt, data FROM scanned WHERE ${filter.sql}
          ORDER BY closed_at DESC, item_id DESC LIMIT ?`,
    parameters: [
      ...range.parameters,
      filter.parameters.length === 0 ? limit + 1 : scanned,
      ...filter.parameters,
      limit + 1,
    ],
  });
  const auctions = rows.slice(0, limit).map(({ data }) => JSON.parse(data) as CompletedAuction);
  const last = rows[limit - 1];
  if (rows.length > limit && last !== undefined) return { auctions, next: placeOf(last) };
  if (filter.parameters.length === 0) return { auctions };
  const end = await endOfScan(database, range, scanned);
  return end === undefined ? { auctions } : { auctions, next: end };
}

/** The last row that a page looked at; undefined where that was all there is. */
async function endOfScan(database: Database, range: Condition, scanned: number): Promise<Place | undefined> {
  const [row] = await database.query<Pick<Row, "itemId" | "closedAt">>({
    sql: `SELECT item_id AS itemId, closed_at AS closedAt FROM auctions WHERE ${range.sql}
          ORDER BY closed_at DESC, item_id DESC LIMIT 1 OFFSET ?`,
    parameters: [...range.parameters, scanned - 1],
  });
  return row === undefined ? undefined : placeOf(row);
}

function placeOf({ closedAt, itemId }: Pick<Row, "itemId" | "closedAt">): Place {
  return { key: closedAt, itemId };
}

interface Condition {
  readonly sql: string;
  readonly parameters: readonly SqlParameter[];
}

/** What an index finds: a stretch of one category's auctions, or of all. */
function rangeOf({ category, from, to, after }: AuctionQuery): Condition {
  return all([
    category === undefined ? undefined : { sql: "category = ?", parameters: [category] },
    from === undefined ? undefined : { sql: "closed_at >= ?", parameters: [from] },
    to === undefined ? undefined : { sql: "closed_at < ?", parameters: [to] },
    after === undefined
      ? undefined
      : { sql: "(closed_at, item_id) < (?, ?)", parameters: [after.key, after.itemId] },
  ]);
}

/** What has to be looked at row by row. */
function filterOf({ status, attributes }: AuctionQuery): Condition {
  return all([
    status === undefined ? undefined : { sql: "status = ?", parameters: [status] },
    attributes.length === 0 ? undefined : attributesAre(attributes),
  ]);
}

function all(conditions: readonly (Condition | undefined)[]): Condition {
  const given = conditions.filter((condition) => condition !== undefined);
  if (given.length === 0) return { sql: "true", parameters: [] };
  return {
    sql: given.map(({ sql }) => sql).join(" AND "),
    parameters: given.flatMap(({ parameters }) => parameters),
  };
}

/**
 * Of every filter, some attribute has the name and one of the values. Both sides are JSON that
 * JavaScript wrote and SQLite reads: a number is compared as the same text reads to the same number.
 */
function attributesAre(attributes: AuctionQuery["attributes"]): Condition {
  const filters = attributes.map(([name, value]) => [name, valuesOf(value)]);
  return {
    sql: `NOT EXISTS (
      SELECT 1 FROM json_each(?) AS filter WHERE NOT EXISTS (
        SELECT 1 FROM json_each(data, '$.attributes') AS attribute
          JOIN json_each(filter.value, '$[1]') AS wanted
            ON wanted.type = attribute.type AND wanted.value = attribute.value
        WHERE attribute.key = filter.value ->> 0))`,
    parameters: [JSON.stringify(filters)],
  };
}

/** What an attribute may be that is written so in a query: `2018` is a text and a number. */
function valuesOf(text: string): (string | number | boolean)[] {
  if (text === "true" || text === "false") return [text, text === "true"];
  const isNumber = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(text) && Number.isFinite(Number(text));
  return isNumber ? [text, Number(text)] : [text];
}

import type { Database } from "../../database.ts";
import type { Logger } from "../../lib/log.ts";
import { admitSets, selectAdmitted } from "./set-statements.ts";
import { analysisIdOf, type AttributeSet, type AuctionSet, isOfAttribute } from "./sets.ts";

/**
 * Sets of one attribute of a category at most. Who sells names the values: without a bound each new
 * one would be an object and an analysis for good.
 */
const mostSets = 200;

interface Dependencies {
  readonly database: Database;
  readonly logger: Logger;
}

/**
 * The ids of those sets that are analysed: all categories, and of an attribute's values the first
 * `mostSets` that came. What is beyond is logged. @throws {Problem}
 */
export async function admittedIds(
  { database, logger }: Dependencies,
  sets: readonly AuctionSet[],
): Promise<ReadonlySet<string>> {
  const byId = new Map(sets.map((set) => [analysisIdOf(set), set]));
  const ofAttributes = [...byId.values()].filter(isOfAttribute);
  const refused = await refusedOf(database, ofAttributes);
  for (const set of refused) byId.delete(analysisIdOf(set));
  logRefused(logger, refused);
  return new Set(byId.keys());
}

async function refusedOf(database: Database, sets: readonly AttributeSet[]): Promise<AttributeSet[]> {
  const unknown = await withoutAdmitted(database, sets);
  if (unknown.length === 0) return [];
  await database.batch([admitSets(unknown, mostSets)]);
  return withoutAdmitted(database, unknown);
}

/** By their places, so that no value has to come back from the database as it went in. */
async function withoutAdmitted(database: Database, sets: readonly AttributeSet[]): Promise<AttributeSet[]> {
  if (sets.length === 0) return [];
  const rows = await database.query<{ readonly place: number }>(selectAdmitted(sets));
  const admitted = new Set(rows.map(({ place }) => place));
  return sets.filter((_, place) => !admitted.has(place));
}

/** A line for each attribute of a category. */
function logRefused(logger: Logger, refused: readonly AttributeSet[]): void {
  const values = new Map<string, AttributeSet[]>();
  for (const set of refused) {
    const name = `${set.category}:${set.attribute.name}`;
    values.set(name, [...(values.get(name) ?? []), set]);
  }
  for (const [name, sets] of values) {
    logger("warn", "analysis.sets-full", { sets: name, most: mostSets, refused: sets.length });
  }
}

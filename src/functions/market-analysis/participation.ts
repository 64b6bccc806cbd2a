import { z } from "zod";
import type { Statement } from "../../database.ts";
import { id } from "../../ingest/schemas.ts";
import { eventTypes } from "../../topics.ts";
import type { FunctionRecord, Invoke, Outcome } from "../function.ts";
import { admittedIds } from "./admitted-sets.ts";
import { findFinished, withoutAuction } from "./finished.ts";
import { type MarketAnalysisDependencies, progressOf, requestAll } from "./market-analysis.ts";
import { Passing } from "./progress.ts";
import { insertSetParticipations } from "./set-statements.ts";
import {
  type AnalysedSets,
  analysisIdOf,
  attributesOf,
  type AuctionSet,
  checkAnalysed,
  isOfAttribute,
  setsOf,
} from "./sets.ts";
import { insertParticipations } from "./statements.ts";

/**
 * When an item completes, exactly one of these is sent for each bidder with an accepted bid, whether it
 * was sold or not. Source: src/auction/judge.ts.
 */
export const participationTypes = [eventTypes.bidderWon, eventTypes.bidderLost];

const notificationSchema = z.object({ itemId: id, bidderId: id });
type Notification = z.output<typeof notificationSchema>;

/**
 * The function `participation`: keeps who bid on which finished auction, a row for each such pair in
 * the category and in each set of an attribute's value, as far as they are analysed, and
 * has the auction's sets analysed once more. The same pair again is no row written; which category the
 * auction is of is known to the read model, and waited for, as `market` does.
 */
export function createParticipation(
  dependencies: MarketAnalysisDependencies,
  declared: readonly AnalysedSets[],
): Invoke {
  const { database, analyses, readProgress } = dependencies;
  const analysed = checkAnalysed(declared);
  const attributes = attributesOf(analysed);
  const passing = new Passing();
  let wasWaiting = false;
  return async ({ records }) => {
    const progress = wasWaiting ? await progressOf(records, readProgress) : undefined;
    const notifications = records.map(decode);
    const items = new Set(notifications.flatMap((one) => (one === null ? [] : [one.itemId])));
    const finished = await findFinished(database, items, attributes);
    const pairs: Pair[] = [];
    wasWaiting = false;
    const outcomes = notifications.map((one, index): Outcome => {
      if (one === null) return { status: "reject", reason: "it does not tell a bidder of the item" };
      const auction = finished.get(one.itemId);
      if (auction === undefined) {
        wasWaiting = true;
        const closedAt = records[index]?.timestamp ?? 0;
        return withoutAuction(progress !== undefined && passing.isPast(progress, closedAt));
      }
      for (const set of setsOf(auction, analysed)) pairs.push({ ...one, set });
      return { status: "done" };
    });
    const ids = await admittedIds(
      dependencies,
      pairs.map(({ set }) => set),
    );
    const statements = insertPairs(pairs.filter(({ set }) => ids.has(analysisIdOf(set))));
    if (statements.length > 0) await database.batch(statements);
    // Behind the rows, so that the run which is asked for reads them.
    await requestAll(analyses, ids);
    return { outcomes };
  };
}

interface Pair extends Notification {
  readonly set: AuctionSet;
}

function insertPairs(pairs: readonly Pair[]): Statement[] {
  const rowsOf = (some: readonly Pair[]) =>
    some.map(({ set, bidderId, itemId }) => [analysisIdOf(set), bidderId, itemId] as const);
  const ofCategories = rowsOf(pairs.filter(({ set }) => !isOfAttribute(set)));
  const ofAttributes = rowsOf(pairs.filter(({ set }) => isOfAttribute(set)));
  return [
    ...(ofCategories.length === 0 ? [] : [insertParticipations(ofCategories)]),
    ...(ofAttributes.length === 0 ? [] : [insertSetParticipations(ofAttributes)]),
  ];
}

function decode({ headers, key, value }: FunctionRecord): Notification | null {
  const type = headers.find((header) => header.key === "ce_type")?.value;
  if (!participationTypes.some((known) => known === type)) return null;
  let data: unknown;
  try {
    data = JSON.parse(value);
  } catch {
    return null;
  }
  const result = notificationSchema.safeParse(data);
  return result.success && result.data.itemId === key ? result.data : null;
}

import type { Database } from "../../database.ts";
import type { Logger } from "../../lib/log.ts";
import { decodeCompleted } from "../completed-event.ts";
import type { FunctionRecord, Invoke, Outcome } from "../function.ts";
import { admittedIds } from "./admitted-sets.ts";
import type { Analyses } from "./client.ts";
import { findFinished, withoutAuction } from "./finished.ts";
import type { ReadModelProgress, ReadProgress } from "./progress.ts";
import { insertSetAuctions } from "./set-statements.ts";
import {
  type AnalysedSets,
  analysisIdOf,
  attributesOf,
  type AuctionSet,
  checkAnalysed,
  isOfAttribute,
  setsOf,
} from "./sets.ts";

export interface MarketAnalysisDependencies {
  readonly database: Database;
  readonly analyses: Pick<Analyses, "request">;
  readonly readProgress: ReadProgress;
  readonly logger: Logger;
}

/**
 * The function `market`: has the sets of a finished auction analysed (docs/analyses.md). It runs
 * nothing itself: a record is done when its sets are marked as to be run, and only then, so that what
 * comes of it is lost by no crash and holds up no record. Of the sets of attributes' values it keeps
 * which auctions they have.
 *
 * A run reads the read model, which another group keeps. So that it finds the auction that asked for
 * it, a record waits until the auction is there; or until the other group has gone past it, as where
 * an operator had it skip something.
 */
export function createMarketAnalysis(
  dependencies: MarketAnalysisDependencies,
  declared: readonly AnalysedSets[],
): Invoke {
  const { database, analyses, readProgress } = dependencies;
  const analysed = checkAnalysed(declared);
  const attributes = attributesOf(analysed);
  // Asked where an auction was missing in the last call: one that is a moment late needs no second object.
  let wasWaiting = false;
  return async ({ records }) => {
    // Before what is looked up, which is then no older: what is past and not found is not to come.
    const progress = wasWaiting ? await progressOf(records, readProgress) : undefined;
    const events = records.map(decodeCompleted);
    const items = new Set(events.flatMap((event) => (event.ok ? [event.value.auction.itemId] : [])));
    const finished = await findFinished(database, items, attributes);
    const members: Member[] = [];
    wasWaiting = false;
    const outcomes = events.map((event, index): Outcome => {
      if (!event.ok) return { status: "reject", reason: event.error };
      const auction = finished.get(event.value.auction.itemId);
      if (auction === undefined || auction.sequence < event.value.sequence) {
        wasWaiting = true;
        return withoutAuction((progress?.finished ?? 0) > (records[index]?.offset ?? 0));
      }
      for (const set of setsOf(auction, analysed)) members.push({ set, itemId: auction.itemId });
      return { status: "done" };
    });
    const ids = await admittedIds(
      dependencies,
      members.map(({ set }) => set),
    );
    const rows = members.flatMap(({ set, itemId }) => {
      const id = analysisIdOf(set);
      return isOfAttribute(set) && ids.has(id) ? [[id, itemId] as const] : [];
    });
    // Before the run that is asked for, which is to read them.
    if (rows.length > 0) await database.batch([insertSetAuctions(rows)]);
    await requestAll(analyses, ids);
    return { outcomes };
  };
}

interface Member {
  readonly set: AuctionSet;
  readonly itemId: string;
}

/** All records of a call are of one partition. */
export async function progressOf(
  [record]: readonly FunctionRecord[],
  readProgress: ReadProgress,
): Promise<ReadModelProgress | undefined> {
  return record === undefined ? undefined : readProgress(record.partition);
}

/** @throws where one of them could not be marked: the call is then made again, and marks no set twice. */
export async function requestAll(
  analyses: Pick<Analyses, "request">,
  ids: ReadonlySet<string>,
): Promise<void> {
  await Promise.all([...ids].map((id) => analyses.request(id)));
}

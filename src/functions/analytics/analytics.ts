import type { Database } from "../../database.ts";
import { decodeCompleted } from "../completed-event.ts";
import type { Invoke, Outcome } from "../function.ts";
import { type AuctionRow, rowOf, type TotalsHour, totalsHourOf } from "./auction-row.ts";
import { countTotals, deleteTotals, selectStored, upsertAuctions } from "./statements.ts";

/**
 * The function `analytics`: keeps the read model of finished auctions (docs/read-model.md).
 *
 * What is stored is the newest event of each item, by its sequence, and totals counted from what is
 * stored: the same for every number and order of deliveries, so that at-least-once is enough and a
 * delivery of everything from offset 0 ends where it began. All events of an item come from one
 * partition, whose outputs are numbered in one row: their sequences can be compared.
 *
 * What is not a readable event is rejected. A database that is away fails the call as a whole.
 */
export function createAnalytics(database: Database): Invoke {
  return async ({ records }) => {
    const outcomes: Outcome[] = [];
    const newest = new Map<string, AuctionRow>();
    for (const record of records) {
      const event = decodeCompleted(record);
      outcomes.push(event.ok ? { status: "done" } : { status: "reject", reason: event.error });
      if (!event.ok) continue;
      const row = rowOf(event.value);
      const other = newest.get(row.itemId);
      if (other === undefined || row.sequence > other.sequence) newest.set(row.itemId, row);
    }
    if (newest.size > 0) await store(database, newest);
    return { outcomes };
  };
}

interface StoredAuction extends Pick<
  AuctionRow,
  "itemId" | "sequence" | "closedAt" | "category" | "currency"
> {}

/**
 * Rows and totals change in one transaction, in which the totals are counted anew: partitions that
 * share an hour may write side by side. What is stored of the items is read before it: a partition's
 * calls come one after the other, so that nobody else writes its items meanwhile. Should a call that
 * was given up yet come through behind a later one, the statement lets no older event through.
 */
async function store(database: Database, newest: ReadonlyMap<string, AuctionRow>): Promise<void> {
  const stored = await database.query<StoredAuction>(selectStored([...newest.keys()]));
  const storedOf = new Map(stored.map((auction) => [auction.itemId, auction]));
  const rows = [...newest.values()].filter(
    ({ itemId, sequence }) => sequence > (storedOf.get(itemId)?.sequence ?? 0),
  );
  if (rows.length === 0) return;
  const left = rows.flatMap((row) => hourLeft(row, storedOf.get(row.itemId)));
  const hours = distinct([...rows.map(totalsHourOf), ...left]);
  await database.batch([
    ...upsertAuctions(rows),
    ...(left.length === 0 ? [] : [deleteTotals(left)]),
    countTotals(hours),
  ]);
}

/** The hour that an auction was in and is in no more: an item that completed twice, behind a lost history. */
function hourLeft(row: AuctionRow, stored: StoredAuction | undefined): TotalsHour[] {
  if (stored === undefined) return [];
  const before = totalsHourOf(stored);
  return String(before) === String(totalsHourOf(row)) ? [] : [before];
}

function distinct(hours: readonly TotalsHour[]): TotalsHour[] {
  return [...new Map(hours.map((hour) => [String(hour), hour])).values()];
}

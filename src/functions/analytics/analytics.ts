import type { Database } from "../../database.ts";
import { decodeCompleted } from "../completed-event.ts";
import type { Invoke, Outcome } from "../function.ts";
import { type AuctionRow, rowOf, type TotalsHour, totalsHourOf } from "./auction-row.ts";
import { countTotals, deleteEmptyTotals, selectStored, upsertAuctions } from "./statements.ts";

/**
 * The function `analytics`: keeps the read model of finished auctions (docs/read-model.md).
 *
 * What is stored is the newest event of each item, by its sequence, and totals counted from what is
 * stored: the same for every number and order of deliveries, so that at-least-once is enough and a
 * delivery of everything from offset 0 ends where it began. The hours of whatever is delivered are
 * counted anew, also where no row is new: so totals that somebody changed are right behind it. All events of an item come from one
 * partition, whose outputs are numbered in one row: their sequences can be compared.
 *
 * What is not a readable event is rejected. A database that is away fails the call as a whole.
 */
export function createAnalytics(database: Database): Invoke {
  return async ({ records }) => {
    const outcomes: Outcome[] = [];
    const delivered: AuctionRow[] = [];
    for (const record of records) {
      const event = decodeCompleted(record);
      outcomes.push(event.ok ? { status: "done" } : { status: "reject", reason: event.error });
      if (!event.ok) continue;
      delivered.push(rowOf(event.value));
    }
    if (delivered.length > 0) await store(database, delivered);
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
async function store(database: Database, delivered: readonly AuctionRow[]): Promise<void> {
  const newest = newestOf(delivered);
  const stored = await database.query<StoredAuction>(selectStored(newest.map(({ itemId }) => itemId)));
  const storedOf = new Map(stored.map((auction) => [auction.itemId, auction]));
  const rows = newest.filter(({ itemId, sequence }) => sequence > (storedOf.get(itemId)?.sequence ?? 0));
  const kept = newest.map((row) => newerOf(row, storedOf.get(row.itemId)));
  const hours = distinct(kept.map(totalsHourOf));
  // What an item was in and is in no more, as one that completed twice, behind a lost history.
  const former = without(distinct([...delivered, ...stored].map(totalsHourOf)), hours);
  await database.batch([
    ...upsertAuctions(rows),
    ...(former.length === 0 ? [] : [deleteEmptyTotals(former)]),
    countTotals([...hours, ...former]),
  ]);
}

/** Of each item the newest event. */
function newestOf(delivered: readonly AuctionRow[]): AuctionRow[] {
  const newest = new Map<string, AuctionRow>();
  for (const row of delivered) {
    const other = newest.get(row.itemId);
    if (other === undefined || row.sequence > other.sequence) newest.set(row.itemId, row);
  }
  return [...newest.values()];
}

function newerOf(row: AuctionRow, stored: StoredAuction | undefined): StoredAuction {
  return stored === undefined || row.sequence > stored.sequence ? row : stored;
}

function without(hours: readonly TotalsHour[], others: readonly TotalsHour[]): TotalsHour[] {
  const names = new Set(others.map(String));
  return hours.filter((hour) => !names.has(String(hour)));
}

function distinct(hours: readonly TotalsHour[]): TotalsHour[] {
  return [...new Map(hours.map((hour) => [String(hour), hour])).values()];
}

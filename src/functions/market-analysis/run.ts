import type { Statement } from "../../database.ts";
import { formatTimestamp } from "../../lib/time.ts";
import { BidderCounts, type StoredBidders } from "./bidder-counts.ts";
import { PriceTally, type StoredTally } from "./price-tally.ts";
import type { AnalysisResult } from "./result.ts";
import { type AuctionSet, textOf } from "./sets.ts";
import {
  type AuctionPlace,
  type AuctionRow,
  type ParticipationPlace,
  type ParticipationRow,
  selectAuctions,
  selectParticipations,
} from "./statements.ts";

/** Currencies of one answer: a row of the database holds 2 MB. */
const mostCurrencies = 20;

/** Where a run is: first it reads the auctions, then their bidders, and then it has its result. */
type Place =
  | { readonly phase: "auctions"; readonly after: AuctionPlace | null }
  | { readonly phase: "bidders"; readonly after: ParticipationPlace | null }
  | { readonly phase: "over"; readonly finishedAt: number };

/** What is stored of a run after each slice, beside the tallies of the currencies. */
export interface StoredRun {
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly slices: number;
  readonly rows: number;
  readonly expectedPairs: number;
  readonly bidders: StoredBidders;
  readonly place: Place;
}

/**
 * A run over one set, slice by slice: `next` says what to read, `take` counts it. What was counted
 * and where it goes on change together, so that a run that is stored after a slice and taken up again
 * ends as one that was never stored.
 *
 * Both tables are read in the order of an index, each row that is there from the start to the end
 * once. What comes meanwhile may be read or not: whoever brought it asks for another run.
 */
export class MarketRun {
  private readonly set: AuctionSet;
  private readonly tallies = new Map<string, PriceTally>();
  private readonly bidders: BidderCounts;
  private readonly counts: { slices: number; rows: number; expectedPairs: number };
  private place: Place;
  readonly startedAt: number;

  constructor(set: AuctionSet, stored: StoredRun, tallies: ReadonlyMap<string, StoredTally> = new Map()) {
    const { startedAt, slices, rows, expectedPairs, bidders, place } = stored;
    this.set = set;
    this.startedAt = startedAt;
    this.counts = { slices, rows, expectedPairs };
    this.bidders = new BidderCounts(bidders);
    this.place = place;
    for (const [currency, tally] of tallies) this.tallies.set(currency, new PriceTally(tally));
  }

  static begin(set: AuctionSet, startedAt: number): MarketRun {
    return new MarketRun(set, {
      startedAt,
      slices: 0,
      rows: 0,
      expectedPairs: 0,
      bidders: new BidderCounts().toStored(),
      place: { phase: "auctions", after: null },
    });
  }

  get isOver(): boolean {
    return this.place.phase === "over";
  }

  get slices(): number {
    return this.counts.slices;
  }

  /** What the next slice reads, at most so many rows; null where the run is over. */
  next(limit: number): Statement | null {
    const { place, set } = this;
    if (place.phase === "auctions") return selectAuctions(set, place.after, limit);
    if (place.phase === "bidders") return selectParticipations(set, place.after, limit);
    return null;
  }

  /**
   * Counts what the slice read; fewer rows than there might be are the last of their table.
   * @returns the currencies whose tallies changed
   */
  take(rows: readonly object[], limit: number, now: number): readonly string[] {
    const isLast = rows.length < limit;
    this.counts.slices += 1;
    this.counts.rows += rows.length;
    if (this.place.phase === "auctions") return this.takeAuctions(rows as readonly AuctionRow[], isLast);
    this.takeParticipations(rows as readonly ParticipationRow[], isLast, now);
    return [];
  }

  private takeAuctions(rows: readonly AuctionRow[], isLast: boolean): string[] {
    const touched = new Set<string>();
    for (const row of rows) {
      if (!this.has(row)) continue;
      this.counts.expectedPairs += row.bidders;
      this.tallyOf(row.currency).add(row);
      touched.add(row.currency);
    }
    const last = rows.at(-1);
    if (isLast || last === undefined) this.place = { phase: "bidders", after: null };
    else this.place = { phase: "auctions", after: [last.closedAt, last.itemId] };
    return [...touched];
  }

  private takeParticipations(rows: readonly ParticipationRow[], isLast: boolean, now: number): void {
    for (const row of rows) if (this.has(row)) this.bidders.add(row.bidderId);
    const last = rows.at(-1);
    if (isLast || last === undefined) this.place = { phase: "over", finishedAt: now };
    else this.place = { phase: "bidders", after: [last.bidderId, last.itemId] };
  }

  /** Whether the auction is in the set now: rows of those that left it stay. */
  private has({ category, attribute }: Pick<AuctionRow, "category" | "attribute">): boolean {
    if (category !== this.set.category) return false;
    const wanted = this.set.attribute;
    return wanted === undefined || (attribute !== null && textOf(JSON.parse(attribute)) === wanted.value);
  }

  private tallyOf(currency: string): PriceTally {
    let tally = this.tallies.get(currency);
    if (tally === undefined) this.tallies.set(currency, (tally = new PriceTally()));
    return tally;
  }

  toStored(): StoredRun {
    const { startedAt, counts, place } = this;
    return { startedAt, ...counts, bidders: this.bidders.toStored(), place };
  }

  storedTally(currency: string): StoredTally {
    return this.tallyOf(currency).toStored();
  }

  /** What it found. @throws {TypeError} before it is over */
  result(): AnalysisResult {
    const { place, startedAt, set, tallies } = this;
    if (place.phase !== "over") throw new TypeError("a run that is not over has no result");
    const { slices, rows, expectedPairs } = this.counts;
    const all = [...tallies].map(([currency, tally]) => tally.describe(currency));
    const sold = sumOf(tallies, "sold");
    const unsold = sumOf(tallies, "unsold");
    const withdrawn = sumOf(tallies, "withdrawn");
    return {
      ...set,
      asOf: formatTimestamp(startedAt),
      auctions: sold + unsold + withdrawn,
      ...{ sold, unsold, withdrawn },
      sellThrough: sold + unsold === 0 ? null : sold / (sold + unsold),
      currencies: all.length,
      prices: all.toSorted(byAuctions).slice(0, mostCurrencies),
      bidders: { ...this.bidders.summary(), expectedPairs },
      run: {
        startedAt: formatTimestamp(startedAt),
        finishedAt: formatTimestamp(place.finishedAt),
        ...{ slices, rows },
      },
    };
  }
}

function sumOf(tallies: ReadonlyMap<string, PriceTally>, status: "sold" | "unsold" | "withdrawn"): number {
  return [...tallies.values()].reduce((sum, { counts }) => sum + counts[status], 0);
}

interface Counted {
  readonly currency: string;
  readonly auctions: number;
}

function byAuctions(one: Counted, other: Counted): number {
  return other.auctions - one.auctions || (one.currency < other.currency ? -1 : 1);
}

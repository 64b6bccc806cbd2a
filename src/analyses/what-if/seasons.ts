import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { hash32 } from "../../lib/hash.ts";
import type { WhatIfParameters } from "./parameters.ts";
import type { Sample, SampledAuction } from "./sample.ts";

/** What the seasons that were simulated came to. */
export interface Seasons {
  /** Of each season: how many were sold, and for how much together, in decimal. */
  readonly outcomes: [sold: number, gross: string][];
  /** How often a price was paid, over all seasons. Each is some bid's amount, so that they are no more than those. */
  readonly prices: Record<string, number>;
}

/** The sample's finished auctions, in the order of their draws: whatever order the partitions came in. */
export function finishedOf({ auctions }: Sample): SampledAuction[] {
  return Object.values(auctions)
    .filter(({ isFinished }) => isFinished)
    .toSorted((left, right) => left.draw - right.draw);
}

/** Auctions with their bids in rows, and bidders by number: a season walks all of them. */
interface Rows {
  /** Of each auction, and behind the last: its first bid. */
  readonly firstBid: Int32Array;
  readonly increment: Float64Array;
  readonly reserve: Float64Array;
  readonly bidder: Int32Array;
  readonly amount: Float64Array;
  readonly bidders: number;
}

/** A simulation of seasons over a sample; `walked` is what one season looks at, in bids and auctions. */
export function simulationOf(sample: Sample, asked: WhatIfParameters) {
  const auctions = finishedOf(sample);
  const rows = rowsOf(auctions, asked);
  return {
    auctions: auctions.length,
    walked: rows.bidder.length + auctions.length,
    run: (seasons: Seasons, season: number) => {
      seasons.outcomes.push(simulate(rows, asked, season, seasons.prices));
    },
  };
}

function rowsOf(auctions: readonly SampledAuction[], { reserve }: WhatIfParameters): Rows {
  const numbers = new Map<string, number>();
  const bids = auctions.flatMap((auction) => auction.bids);
  const bidder = Int32Array.from(bids, ([bidderId]) => {
    const number = numbers.get(bidderId) ?? numbers.size;
    numbers.set(bidderId, number);
    return number;
  });
  const firstBid = new Int32Array(auctions.length + 1);
  for (const [index, auction] of auctions.entries())
    firstBid[index + 1] = (firstBid[index] ?? 0) + auction.bids.length;
  return {
    firstBid,
    increment: Float64Array.from(auctions, ({ increment }) => increment),
    reserve: Float64Array.from(auctions, (auction) => reserve ?? auction.reserve ?? 0),
    bidder,
    amount: Float64Array.from(bids, ([, amount]) => amount),
    bidders: numbers.size,
  };
}

/** One season. Its chance is its own, so that it comes out the same in whatever slice it is made. */
function simulate(
  rows: Rows,
  { absent, resample, seed }: WhatIfParameters,
  season: number,
  prices: Seasons["prices"],
): Seasons["outcomes"][number] {
  const random = xoroshiro128plus(hash32(`${seed}/${season}`) | 0);
  // A bidder is there in all auctions of the season, or in none.
  const isPresent = new Uint8Array(rows.bidders).fill(1);
  if (absent > 0)
    for (let bidder = 0; bidder < rows.bidders; bidder += 1)
      isPresent[bidder] = uniformFloat64(random) < absent ? 0 : 1;
  const auctions = rows.reserve.length;
  const sum = new Sum();
  let sold = 0;
  for (let place = 0; place < auctions; place += 1) {
    const auction = resample ? uniformInt(random, 0, auctions - 1) : place;
    const highest = highestOf(rows, auction, isPresent);
    if (highest === -1 || highest < (rows.reserve[auction] ?? 0)) continue;
    sold += 1;
    sum.add(highest);
    prices[highest] = (prices[highest] ?? 0) + 1;
  }
  return [sold, sum.text];
}

/**
 * What the highest of the present bidders' bids is, by the rules for a bid (`judgeBid`): the first
 * stands, since none in the sample is below the starting price, and each other one that exceeds what
 * stands by the increment. -1 where there is none.
 */
function highestOf(
  { firstBid, bidder, amount, increment }: Rows,
  auction: number,
  isPresent: Uint8Array,
): number {
  const end = firstBid[auction + 1] ?? 0;
  let highest = -1;
  let least = 0;
  for (let bid = firstBid[auction] ?? 0; bid < end; bid += 1) {
    const offered = amount[bid] ?? 0;
    if (offered < least || isPresent[bidder[bid] ?? 0] !== 1) continue;
    highest = offered;
    least = offered + (increment[auction] ?? 0);
  }
  return highest;
}

/** A sum of prices, each up to 2^53, that passes it. */
class Sum {
  private safe = 0;
  private beyond = 0n;

  add(price: number): void {
    if (this.safe + price > Number.MAX_SAFE_INTEGER) {
      this.beyond += BigInt(this.safe);
      this.safe = 0;
    }
    this.safe += price;
  }

  get text(): string {
    return String(this.beyond + BigInt(this.safe));
  }
}

import { hash32 } from "../../src/lib/hash.ts";
import type { PartitionStorage } from "../dependencies.ts";
import { mayContain } from "./bloom-filter.ts";
import { lastAtMost, type Run, SortedRuns } from "./sorted-runs.ts";

/** Bids in memory before they become a run: 33 rows. */
const defaultRunBids = 32_768;
/** Entries that a run is about before it is written, however few of them are bids. */
const runEntries = 2 ** 17;
/**
 * A bid is one number: its bidder's hash of 32 bits, and how far behind the run's first entry it
 * is. One transaction judges far fewer entries than are left between this and `runEntries`.
 */
const distances = 2 ** 21;
/** Runs whose directories are in memory, twice as many at most: 40 KB each. */
const cachedDirectories = 50;

/** Entries that are indexed at a start at most; more than may be left out of runs. */
export const mostCaughtUp = 2 ** 18;

/**
 * Bidder → the numbers of all their bids, newest first. Like the index of what was seen, it
 * collects in memory and leaves as sorted runs, about a row for 1,000 bids; what is not in a run
 * yet is rebuilt from the entries. What it finds is a candidate only: the caller compares the entry.
 */
export class BidderIndex {
  private readonly runs: SortedRuns;
  private readonly seed: number;
  private readonly runBids: number;
  /** Bids of no run yet, in order, as they will be in one. */
  private recent: number[] = [];
  /** Number of the entry that the first of them is. */
  private first = 0;

  /** @param seed of the hashes */
  constructor(storage: PartitionStorage, seed: number, runBids = defaultRunBids) {
    this.runs = new SortedRuns(storage, "bidder", cachedDirectories);
    this.seed = seed;
    this.runBids = runBids;
  }

  /** Entries up to this number are in runs; later ones have to be added again after a start. */
  get storedThrough(): number {
    return this.runs.storedThrough;
  }

  /** Takes bids in the order of their numbers. */
  add(bidderId: string, number: number): void {
    if (this.recent.length === 0) this.first = number;
    this.recent.push(hash32(bidderId, this.seed) * distances + number - this.first);
  }

  /**
   * Visits the numbers of entries that may be the bidder's, newest first, from `through` down,
   * until `visit` answers false.
   * @param mostRuns runs that are looked at; the work is bounded by them where the bidder is rare
   * @returns the number from which to go on; 0 where nothing is left
   */
  walk(bidderId: string, through: number, mostRuns: number, visit: (number: number) => boolean): number {
    const hash = hash32(bidderId, this.seed);
    for (let index = this.recent.length - 1; index >= 0; index -= 1) {
      const bid = this.recent[index] as number;
      const number = this.first + (bid % distances);
      const isCandidate = number <= through && Math.floor(bid / distances) === hash;
      if (isCandidate && !visit(number)) return number - 1;
    }
    let left = mostRuns;
    for (const run of this.runs.all.toReversed()) {
      if (run.firstNumber > through) continue;
      if (left === 0) return Math.min(through, run.lastNumber);
      left -= 1;
      const stopped = this.walkRun(run, hash, through, visit);
      if (stopped !== undefined) return stopped - 1;
    }
    this.runs.trim();
    return 0;
  }

  /** Answers the number at which `visit` stopped the walk. */
  private walkRun(
    run: Run,
    hash: number,
    through: number,
    visit: (number: number) => boolean,
  ): number | undefined {
    const { filter, lowest } = this.runs.directoryOf(run);
    if (!mayContain(filter, filterHash(hash))) return undefined;
    const from = hash * distances;
    const to = from + Math.min(through - run.firstNumber, distances - 1);
    for (let slice = lastAtMost(lowest, to); slice >= 0; slice -= 1) {
      const bids = this.runs.slice(run, slice);
      for (let index = lastAtMost(bids, to); index >= 0; index -= 1) {
        const bid = bids[index] as number;
        if (bid < from) return undefined;
        const number = run.firstNumber + bid - from;
        if (!visit(number)) return number;
      }
    }
    return undefined;
  }

  /** Writes a run when enough came together; inside the transaction of its entries. */
  flush(lastNumber: number): void {
    const { length } = this.recent;
    if (length === 0 || (length < this.runBids && lastNumber - this.first < runEntries)) return;
    const bids = Float64Array.from(this.recent).sort();
    this.runs.add({ firstNumber: this.first, lastNumber }, bids, hashesOf(bids));
    this.recent = [];
  }

  /** Drops runs that lie wholly before an entry number: their entries are gone. */
  dropThrough(number: number): void {
    this.runs.dropThrough(number);
  }
}

/** Of each bidder once, for the filter; those of one bidder lie side by side. */
function hashesOf(bids: Float64Array): Float64Array {
  const hashes = new Float64Array(bids.length);
  let count = 0;
  let last = -1;
  for (const bid of bids) {
    const hash = Math.floor(bid / distances);
    if (hash === last) continue;
    last = hash;
    hashes[count] = filterHash(hash);
    count += 1;
  }
  return hashes.subarray(0, count);
}

/** The filter's probes need more bits than a bid has room for; as many as it has tell bidders apart. */
function filterHash(hash: number): number {
  return (Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 11) * 0x100000000 + hash;
}

import { hash53 } from "../../src/lib/hash.ts";
import type { PartitionStorage } from "../dependencies.ts";
import { mayContain } from "./bloom-filter.ts";
import { readHashSeed } from "./hash-seed.ts";
import { lastAtMost, type Run, SortedRuns } from "./sorted-runs.ts";

/** Pairs in memory before they become a run; 65,536 pairs are 1 MiB of row data and about 6 MB of map. */
const defaultRunPairs = 65_536;
/** Runs whose directories are in memory, twice as many at most: 80 KB each, whatever is stored. */
const cachedDirectories = 200;

/**
 * Hash → number of the newest entry with it, for two questions about every bid: was this event
 * judged before, and does this bidder stand on the item already? A row a hash would double what
 * a bid costs, so hashes collect in memory and leave as sorted runs: about one row for 500 hashes.
 * What is not in a run yet is rebuilt from the entries. A hit is a candidate only: the caller
 * compares the entry.
 */
export class SeenIndex {
  private readonly runs: SortedRuns;
  private readonly runPairs: number;
  private recent = new Map<number, number>();
  /** Of the hashes. */
  readonly seed: number;

  constructor(storage: PartitionStorage, runPairs = defaultRunPairs) {
    this.runs = new SortedRuns(storage, "seen", cachedDirectories);
    this.runPairs = runPairs;
    this.seed = readHashSeed(storage, this.runs.all.length > 0);
  }

  hashOf(name: string): number {
    return hash53(name, this.seed);
  }

  /** Entries up to this number are in runs; later ones have to be added again after a start. */
  get storedThrough(): number {
    return this.runs.storedThrough;
  }

  add(hash: number, number: number): void {
    this.recent.set(hash, number);
  }

  /** Numbers of entries that may have this hash, newest first, none below `oldest`. */
  find(hash: number, oldest: number): number[] {
    const found: number[] = [];
    const recent = this.recent.get(hash);
    if (recent !== undefined) found.push(recent);
    const { all } = this.runs;
    for (let index = all.length - 1; index >= 0; index -= 1) {
      const run = all[index] as Run;
      if (run.lastNumber < oldest) break;
      const { filter, lowest } = this.runs.directoryOf(run);
      if (!mayContain(filter, hash)) continue;
      const number = this.lookUp(run, lowest, hash);
      if (number !== undefined) found.push(number);
    }
    this.runs.trim();
    return found;
  }

  private lookUp(run: Run, lowest: readonly number[], hash: number): number | undefined {
    const slice = lastAtMost(lowest, hash);
    if (slice < 0) return undefined;
    const pairs = this.runs.slice(run, slice);
    let low = 0;
    let high = pairs.length / 2 - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const candidate = pairs[middle * 2] as number;
      if (candidate === hash) return pairs[middle * 2 + 1];
      if (candidate < hash) low = middle + 1;
      else high = middle - 1;
    }
    return undefined;
  }

  /** Writes a run when enough pairs came together; inside the transaction of their entries. */
  flush(lastNumber: number): void {
    if (this.recent.size < this.runPairs) return;
    // A typed array sorts numbers natively, many times faster than an array of pairs.
    const hashes = Float64Array.from(this.recent.keys()).sort();
    const pairs = new Float64Array(hashes.length * 2);
    hashes.forEach((hash, index) => {
      pairs[index * 2] = hash;
      pairs[index * 2 + 1] = this.recent.get(hash) ?? 0;
    });
    this.runs.add({ firstNumber: this.storedThrough + 1, lastNumber }, pairs, hashes);
    this.recent = new Map();
  }

  /** Drops runs that lie wholly before an entry number: their entries are gone. */
  dropThrough(number: number): void {
    this.runs.dropThrough(number);
  }
}

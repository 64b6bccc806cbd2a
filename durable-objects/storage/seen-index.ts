import { GenerationalCache } from "../../src/lib/generational-cache.ts";
import { hash53 } from "../../src/lib/hash.ts";
import type { PartitionStorage } from "../dependencies.ts";

/** Pairs in memory before they become a run; 65,536 pairs are 1 MiB of row data and about 6 MB of map. */
const defaultRunPairs = 65_536;
/** Pairs of one row: 8 KiB, which a look-up reads whole. */
const slicePairs = 512;
const filterBitsPerPair = 10;
const filterProbes = 6;
const cachedSlices = 512;
/** Runs whose directories are in memory, twice as many at most: 80 KB each, whatever is stored. */
const cachedDirectories = 200;

interface Run {
  readonly id: number;
  readonly lastNumber: number;
}

/** What tells where in a run a hash may be. */
interface Directory {
  readonly filter: Uint32Array;
  /** Lowest hash of each slice, ascending. */
  readonly lowest: readonly number[];
}

/**
 * Hash → number of the newest entry with it, for two questions about every bid: was this event
 * judged before, and does this bidder stand on the item already? A row a hash would double what
 * a bid costs, so hashes collect in memory and leave as sorted runs with a Bloom filter each
 * (a log-structured merge tree of one level): about one row for 500 hashes. What is not in a
 * run yet is rebuilt from the entries. A hit is a candidate only: the caller compares the entry.
 */
export class SeenIndex {
  private readonly storage: PartitionStorage;
  private readonly runPairs: number;
  private recent = new Map<number, number>();
  private readonly runs: Run[];
  private readonly directories = new GenerationalCache<number, Directory>(cachedDirectories);
  private readonly slices = new Map<number, Float64Array>();
  private readonly seed: number;

  constructor(storage: PartitionStorage, runPairs = defaultRunPairs) {
    this.storage = storage;
    this.runPairs = runPairs;
    this.runs = storage
      .all<{ id: number; last_number: number }>(`SELECT id, last_number FROM seen_runs ORDER BY id`)
      .map((row) => ({ id: row.id, lastNumber: row.last_number }));
    this.seed = this.readSeed();
  }

  /**
   * One of two names with the same hash hides the other, and ids are what clients choose: a seed
   * that nobody outside knows keeps them from making such a pair. Runs without one have seed 0.
   */
  private readSeed(): number {
    const [row] = this.storage.all<{ value: string }>(
      `SELECT value FROM bookkeeping WHERE name = 'hash_seed'`,
    );
    if (row !== undefined) return Number(row.value);
    if (this.runs.length > 0) return 0;
    const [seed = 0] = crypto.getRandomValues(new Uint32Array(1));
    this.storage.run(`INSERT INTO bookkeeping (name, value) VALUES ('hash_seed', ?)`, String(seed));
    return seed;
  }

  hashOf(name: string): number {
    return hash53(name, this.seed);
  }

  /** Entries up to this number are in runs; later ones have to be added again after a start. */
  get storedThrough(): number {
    return this.runs.at(-1)?.lastNumber ?? 0;
  }

  add(hash: number, number: number): void {
    this.recent.set(hash, number);
  }

  /** Numbers of entries that may have this hash, newest first, none below `oldest`. */
  find(hash: number, oldest: number): number[] {
    const found: number[] = [];
    const recent = this.recent.get(hash);
    if (recent !== undefined) found.push(recent);
    for (let index = this.runs.length - 1; index >= 0; index -= 1) {
      const run = this.runs[index] as Run;
      if (run.lastNumber < oldest) break;
      const { filter, lowest } = this.directoryOf(run.id);
      if (!mayContain(filter, hash)) continue;
      const number = this.lookUp(run.id, lowest, hash);
      if (number !== undefined) found.push(number);
    }
    this.directories.trim();
    return found;
  }

  private directoryOf(run: number): Directory {
    const cached = this.directories.get(run);
    if (cached !== undefined) return cached;
    const [row] = this.storage.all<{ filter: ArrayBuffer }>(`SELECT filter FROM seen_runs WHERE id = ?`, run);
    if (row === undefined) throw new Error(`run ${run} of the index is not stored`);
    const slices = this.storage.all<{ lowest: number }>(
      `SELECT lowest FROM seen_slices WHERE run = ? ORDER BY slice`,
      run,
    );
    const directory = { filter: new Uint32Array(row.filter), lowest: slices.map(({ lowest }) => lowest) };
    this.directories.set(run, directory);
    return directory;
  }

  private lookUp(run: number, lowest: readonly number[], hash: number): number | undefined {
    const slice = lastAtMost(lowest, hash);
    if (slice < 0) return undefined;
    const pairs = this.sliceOf(run, slice);
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

  private sliceOf(run: number, slice: number): Float64Array {
    const key = run * 1_024 + slice;
    const cached = this.slices.get(key);
    if (cached !== undefined) return cached;
    const [row] = this.storage.all<{ pairs: ArrayBuffer }>(
      `SELECT pairs FROM seen_slices WHERE run = ? AND slice = ?`,
      run,
      slice,
    );
    const pairs = new Float64Array(row?.pairs ?? new ArrayBuffer(0));
    if (this.slices.size >= cachedSlices) {
      const oldest = this.slices.keys().next();
      if (!oldest.done) this.slices.delete(oldest.value);
    }
    this.slices.set(key, pairs);
    return pairs;
  }

  /** Writes a run when enough pairs came together; inside the transaction of their entries. */
  flush(lastNumber: number): void {
    if (this.recent.size < this.runPairs) return;
    // A typed array sorts numbers natively, many times faster than an array of pairs.
    const hashes = Float64Array.from(this.recent.keys()).sort();
    const filter = new Uint32Array(Math.ceil((hashes.length * filterBitsPerPair) / 32));
    for (const hash of hashes) setBits(filter, hash);
    const id = (this.runs.at(-1)?.id ?? 0) + 1;
    const lowest: number[] = [];
    for (let start = 0; start < hashes.length; start += slicePairs) {
      const pairs = this.pairsOf(hashes.subarray(start, start + slicePairs));
      lowest.push(pairs[0] as number);
      this.storage.run(
        `INSERT INTO seen_slices (run, slice, lowest, pairs) VALUES (?, ?, ?, ?)`,
        id,
        lowest.length - 1,
        pairs[0] as number,
        pairs.buffer,
      );
    }
    this.storage.run(
      `INSERT INTO seen_runs (id, first_number, last_number, filter) VALUES (?, ?, ?, ?)`,
      id,
      this.storedThrough + 1,
      lastNumber,
      filter.buffer,
    );
    this.runs.push({ id, lastNumber });
    this.directories.set(id, { filter, lowest });
    this.recent = new Map();
  }

  private pairsOf(hashes: Float64Array): Float64Array<ArrayBuffer> {
    const pairs = new Float64Array(hashes.length * 2);
    hashes.forEach((hash, index) => {
      pairs[index * 2] = hash;
      pairs[index * 2 + 1] = this.recent.get(hash) ?? 0;
    });
    return pairs;
  }

  /** Drops runs that lie wholly before an entry number: their entries are gone. */
  dropThrough(number: number): void {
    while ((this.runs[0]?.lastNumber ?? Number.POSITIVE_INFINITY) <= number) {
      const run = this.runs.shift() as Run;
      // Its id is given again when no run is left.
      this.directories.delete(run.id);
      this.slices.clear();
      this.storage.run(`DELETE FROM seen_slices WHERE run = ?`, run.id);
      this.storage.run(`DELETE FROM seen_runs WHERE id = ?`, run.id);
    }
  }
}

function probes(filter: Uint32Array, hash: number, visit: (word: number, mask: number) => boolean): boolean {
  const low = hash >>> 0;
  const step = Math.imul(Math.floor(hash / 0x100000000), 0x9e3779b1) | 1;
  const bits = filter.length * 32;
  for (let probe = 0; probe < filterProbes; probe += 1) {
    const bit = ((low + Math.imul(probe, step)) >>> 0) % bits;
    if (!visit(bit >>> 5, 1 << (bit & 31))) return false;
  }
  return true;
}

function setBits(filter: Uint32Array, hash: number): void {
  probes(filter, hash, (word, mask) => {
    filter[word] = (filter[word] as number) | mask;
    return true;
  });
}

function mayContain(filter: Uint32Array, hash: number): boolean {
  return probes(filter, hash, (word, mask) => ((filter[word] as number) & mask) !== 0);
}

/** Index of the last element that is at most `value`, or -1. */
function lastAtMost(ascending: readonly number[], value: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ascending[middle] as number) <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

import { GenerationalCache } from "../../src/lib/generational-cache.ts";
import type { PartitionStorage } from "../dependencies.ts";
import { filterOf } from "./bloom-filter.ts";

/** Numbers of one row: 8 KiB, which a look-up reads whole. */
const sliceNumbers = 1_024;
const cachedSlices = 512;
/** No run has as many slices. */
const mostSlices = 1_024;

/** A run of an index: sorted numbers about a stretch of entries, written once and never changed. */
export interface Run {
  readonly id: number;
  readonly firstNumber: number;
  readonly lastNumber: number;
}

/** What tells where in a run a hash may be. */
interface Directory {
  readonly filter: Uint32Array;
  /** First number of each slice, ascending. */
  readonly lowest: readonly number[];
}

/**
 * The stored part of an index over the entries: a log-structured merge tree of one level. What
 * came together in memory is sorted and leaves as one run, 8 KiB a row, with a Bloom filter of its
 * hashes. Runs are dropped from the old end, with the entries that they are about.
 */
export class SortedRuns {
  /** Oldest first. */
  readonly all: readonly Run[];
  private readonly runs: Run[];
  private readonly storage: PartitionStorage;
  private readonly name: string;
  private readonly directories: GenerationalCache<number, Directory>;
  private readonly slices = new Map<number, Float64Array>();

  /**
   * @param name of the index, whose tables are `{name}_runs` and `{name}_slices`
   * @param cachedDirectories runs whose directories are in memory, twice as many at most
   */
  constructor(storage: PartitionStorage, name: "seen" | "bidder", cachedDirectories: number) {
    this.storage = storage;
    this.name = name;
    this.directories = new GenerationalCache(cachedDirectories);
    type Row = { id: number; first_number: number; last_number: number };
    this.runs = storage
      .all<Row>(`SELECT id, first_number, last_number FROM ${name}_runs ORDER BY id`)
      .map((row) => ({ id: row.id, firstNumber: row.first_number, lastNumber: row.last_number }));
    this.all = this.runs;
  }

  /** Entries up to this number are in runs; later ones have to be indexed again after a start. */
  get storedThrough(): number {
    return this.runs.at(-1)?.lastNumber ?? 0;
  }

  directoryOf(run: Run): Directory {
    const cached = this.directories.get(run.id);
    if (cached !== undefined) return cached;
    const [row] = this.storage.all<{ filter: ArrayBuffer }>(
      `SELECT filter FROM ${this.name}_runs WHERE id = ?`,
      run.id,
    );
    if (row === undefined) throw new Error(`run ${run.id} of the index is not stored`);
    const slices = this.storage.all<{ lowest: number }>(
      `SELECT lowest FROM ${this.name}_slices WHERE run = ? ORDER BY slice`,
      run.id,
    );
    const directory = { filter: new Uint32Array(row.filter), lowest: slices.map(({ lowest }) => lowest) };
    this.directories.set(run.id, directory);
    return directory;
  }

  /** Lets directories go that were not needed for long. */
  trim(): void {
    this.directories.trim();
  }

  slice(run: Run, slice: number): Float64Array {
    const key = run.id * mostSlices + slice;
    const cached = this.slices.get(key);
    if (cached !== undefined) return cached;
    const [row] = this.storage.all<{ pairs: ArrayBuffer }>(
      `SELECT pairs FROM ${this.name}_slices WHERE run = ? AND slice = ?`,
      run.id,
      slice,
    );
    const numbers = new Float64Array(row?.pairs ?? new ArrayBuffer(0));
    if (this.slices.size >= cachedSlices) {
      const oldest = this.slices.keys().next();
      if (!oldest.done) this.slices.delete(oldest.value);
    }
    this.slices.set(key, numbers);
    return numbers;
  }

  /**
   * Writes a run behind all others; inside the transaction of its entries.
   * @param sorted what look-ups read, ascending in the order in which they search
   * @param hashes for the filter, each once
   */
  add(
    stretch: Pick<Run, "firstNumber" | "lastNumber">,
    sorted: Float64Array<ArrayBuffer>,
    hashes: Float64Array,
  ): void {
    const id = (this.runs.at(-1)?.id ?? 0) + 1;
    const lowest: number[] = [];
    for (let start = 0; start < sorted.length; start += sliceNumbers) {
      const numbers = sorted.slice(start, start + sliceNumbers);
      this.storage.run(
        `INSERT INTO ${this.name}_slices (run, slice, lowest, pairs) VALUES (?, ?, ?, ?)`,
        id,
        lowest.length,
        numbers[0] as number,
        numbers.buffer,
      );
      lowest.push(numbers[0] as number);
    }
    const filter = filterOf(hashes);
    const { firstNumber, lastNumber } = stretch;
    this.storage.run(
      `INSERT INTO ${this.name}_runs (id, first_number, last_number, filter) VALUES (?, ?, ?, ?)`,
      id,
      firstNumber,
      lastNumber,
      filter.buffer,
    );
    this.runs.push({ id, firstNumber, lastNumber });
    this.directories.set(id, { filter, lowest });
  }

  /** Drops runs that lie wholly before an entry number: their entries are gone. */
  dropThrough(number: number): void {
    while ((this.runs[0]?.lastNumber ?? Number.POSITIVE_INFINITY) <= number) {
      const run = this.runs.shift() as Run;
      // Its id is given again when no run is left.
      this.directories.delete(run.id);
      this.slices.clear();
      this.storage.run(`DELETE FROM ${this.name}_slices WHERE run = ?`, run.id);
      this.storage.run(`DELETE FROM ${this.name}_runs WHERE id = ?`, run.id);
    }
  }
}

/** Index of the last element that is at most `value`, or -1. */
export function lastAtMost(ascending: ArrayLike<number>, value: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ascending[middle] as number) <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

import type { Entry } from "../../src/auction/state.ts";
import type { PartitionStorage } from "../dependencies.ts";
import { decodeEntry, encodeEntry } from "./entry-codec.ts";
import { writeRows } from "./rows.ts";

/** Entries of one page. Small enough to read for one entry, large enough for few rows an event. */
const pageEntries = 64;
const cachedPages = 256;
/** The newest entries are kept decoded: most look-ups and walks are about items bid on just now. */
const recentEntries = 8_192;

/**
 * Judged events, packed: an entry is a line in a page of 64, and page `p` holds the numbers
 * 64p + 1 … 64p + 64, so that an entry is found by arithmetic. A transaction writes the pages it
 * adds to, the last one of them again in the next: rows follow transactions, not events.
 */
export class StoredEntries {
  private readonly storage: PartitionStorage;
  private readonly cache = new Map<number, string[]>();
  private readonly recent: (Entry | undefined)[] = [];
  private pending: Entry[] = [];

  constructor(storage: PartitionStorage) {
    this.storage = storage;
  }

  append(entry: Entry): void {
    this.pending.push(entry);
    this.recent[entry.number % recentEntries] = entry;
  }

  get(number: number): Entry | undefined {
    const recent = this.recent[number % recentEntries];
    if (recent?.number === number) return recent;
    const oldestPending = this.pending[0];
    if (oldestPending !== undefined && number >= oldestPending.number) {
      return this.pending[number - oldestPending.number];
    }
    const line = this.pageOf(pageNumber(number))[lineIndex(number)];
    return line === undefined || line === "" ? undefined : decodeEntry(number, line);
  }

  private pageOf(page: number): string[] {
    const cached = this.cache.get(page);
    if (cached !== undefined) return cached;
    const [row] = this.storage.all<{ entries: string }>(`SELECT entries FROM entries WHERE page = ?`, page);
    return this.remember(page, row?.entries.split("\n") ?? []);
  }

  private remember(page: number, lines: string[]): string[] {
    if (this.cache.size >= cachedPages && !this.cache.has(page)) {
      const oldest = this.cache.keys().next();
      if (!oldest.done) this.cache.delete(oldest.value);
    }
    this.cache.set(page, lines);
    return lines;
  }

  /** Writes the pages that the transaction's entries are in. */
  flush(streamTime: number): void {
    const touched = new Map<number, string[]>();
    for (const entry of this.pending) {
      const page = pageNumber(entry.number);
      const lines = touched.get(page) ?? this.tailOf(page, lineIndex(entry.number));
      lines.push(encodeEntry(entry));
      touched.set(page, lines);
    }
    const values = [...touched].flatMap(([page, lines]) => [page, streamTime, lines.join("\n")]);
    writeRows(this.storage, 3, values, (rows) => {
      return `INSERT INTO entries (page, stream_time, entries) VALUES ${rows}
        ON CONFLICT DO UPDATE SET stream_time = excluded.stream_time, entries = excluded.entries`;
    });
    this.pending = [];
  }

  /** The page that is added to from a line on; one that was compacted to nothing is filled up to it. */
  private tailOf(page: number, line: number): string[] {
    const lines = line === 0 ? [] : this.pageOf(page);
    while (lines.length < line) lines.push("");
    return this.remember(page, lines);
  }

  /** Number of the oldest stored entry's page; beyond every number where none is stored. */
  firstNumber(): number {
    const [row] = this.storage.all<{ page: number | null }>(`SELECT min(page) AS page FROM entries`);
    return row?.page === null || row === undefined ? Number.MAX_SAFE_INTEGER : row.page * pageEntries + 1;
  }

  /** Every stored entry behind a number, in order. */
  *after(number: number): Generator<Entry> {
    type Row = { page: number; entries: string };
    let from = pageNumber(number + 1);
    for (;;) {
      const [row] = this.storage.all<Row>(
        `SELECT page, entries FROM entries WHERE page >= ? ORDER BY page LIMIT 1`,
        from,
      );
      if (row === undefined) return;
      for (const [index, line] of row.entries.split("\n").entries()) {
        const entryNumber = row.page * pageEntries + index + 1;
        if (line !== "" && entryNumber > number) yield decodeEntry(entryNumber, line);
      }
      from = row.page + 1;
    }
  }

  /**
   * Blanks the entries of departed items in the oldest page behind `cursor` that is older than
   * `before` in stream time and ends at entry `through` at the latest, and answers the new
   * cursor; null when there is no such page. A line stays as an empty one, so that numbers keep
   * finding their lines; an empty page goes.
   */
  compactNext(
    cursor: number,
    through: number,
    before: number,
    isKept: (itemId: string) => boolean,
  ): number | null {
    type Row = { page: number; stream_time: number; entries: string };
    const [row] = this.storage.all<Row>(
      `SELECT page, stream_time, entries FROM entries WHERE page > ? ORDER BY page LIMIT 1`,
      cursor,
    );
    if (row === undefined || row.stream_time >= before || (row.page + 1) * pageEntries > through) return null;
    const lines = row.entries.split("\n");
    const kept = lines.map((line, index) => {
      const number = row.page * pageEntries + index + 1;
      return line !== "" && isKept(decodeEntry(number, line).itemId) ? line : "";
    });
    if (kept.every((line) => line === "")) {
      this.storage.run(`DELETE FROM entries WHERE page = ?`, row.page);
    } else if (kept.some((line, index) => line !== lines[index])) {
      this.storage.run(`UPDATE entries SET entries = ? WHERE page = ?`, kept.join("\n"), row.page);
    }
    this.cache.delete(row.page);
    this.recent.length = 0;
    return row.page;
  }
}

function pageNumber(number: number): number {
  return Math.floor((number - 1) / pageEntries);
}

function lineIndex(number: number): number {
  return (number - 1) % pageEntries;
}

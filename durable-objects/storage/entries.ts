import type { Entry } from "../../src/auction/state.ts";
import type { PartitionStorage } from "../dependencies.ts";

/** Characters of one chunk at most, well under the platform's 2 MB a row even in UTF-8. */
const maximumChunkCharacters = 400_000;
/** Decoded chunks kept at hand, as lines; walks over an item's history are mostly near its end. */
const cachedChunks = 16;

interface Chunk {
  readonly first: number;
  readonly lines: string[];
}

/**
 * Judged events, packed: one row a transaction, not one an event. A chunk holds the entries
 * `first_number … last_number`, a line each; an entry is found by its number, and an item's
 * entries by following `previous` from its newest.
 */
export class StoredEntries {
  private readonly storage: PartitionStorage;
  private pending: Entry[] = [];
  private readonly cache = new Map<number, Chunk>();

  constructor(storage: PartitionStorage) {
    this.storage = storage;
  }

  append(entry: Entry): void {
    this.pending.push(entry);
  }

  get(number: number): Entry | undefined {
    const oldestPending = this.pending[0];
    if (oldestPending !== undefined && number >= oldestPending.number)
      return this.pending[number - oldestPending.number];
    const chunk = this.chunkOf(number);
    const line = chunk?.lines[number - (chunk?.first ?? 0)];
    return line === undefined || line === "" ? undefined : decodeEntry(number, line);
  }

  private chunkOf(number: number): Chunk | undefined {
    for (const chunk of this.cache.values()) {
      if (number >= chunk.first && number < chunk.first + chunk.lines.length) return chunk;
    }
    const [row] = this.storage.all<{ first_number: number; entries: string }>(
      `SELECT first_number, entries FROM entries WHERE first_number <= ? ORDER BY first_number DESC LIMIT 1`,
      number,
    );
    if (row === undefined) return undefined;
    return this.remember({ first: row.first_number, lines: row.entries.split("\n") });
  }

  private remember(chunk: Chunk): Chunk {
    if (this.cache.size >= cachedChunks) {
      const oldest = this.cache.keys().next();
      if (!oldest.done) this.cache.delete(oldest.value);
    }
    this.cache.set(chunk.first, chunk);
    return chunk;
  }

  /** Writes the transaction's entries as few chunks. */
  flush(streamTime: number): void {
    let lines: string[] = [];
    let characters = 0;
    let first = this.pending[0]?.number ?? 0;
    const write = (): void => {
      if (lines.length === 0) return;
      this.storage.run(
        `INSERT INTO entries (first_number, last_number, stream_time, entries) VALUES (?, ?, ?, ?)`,
        first,
        first + lines.length - 1,
        streamTime,
        lines.join("\n"),
      );
      this.remember({ first, lines });
      first += lines.length;
      [lines, characters] = [[], 0];
    };
    for (const entry of this.pending) {
      const line = encodeEntry(entry);
      if (characters + line.length > maximumChunkCharacters) write();
      lines.push(line);
      characters += line.length;
    }
    write();
    this.pending = [];
  }

  /** Number of the oldest stored entry; beyond every number where none is stored. */
  firstNumber(): number {
    type Row = { first_number: number | null };
    const [row] = this.storage.all<Row>(`SELECT min(first_number) AS first_number FROM entries`);
    return row?.first_number ?? Number.MAX_SAFE_INTEGER;
  }

  /** Every stored entry behind a number, in order. */
  *after(number: number): Generator<Entry> {
    type Row = { first_number: number; last_number: number; entries: string };
    let behind = number;
    for (;;) {
      const [row] = this.storage.all<Row>(
        `SELECT first_number, last_number, entries FROM entries
         WHERE first_number >= coalesce((SELECT max(first_number) FROM entries WHERE first_number <= ?), 0)
           AND last_number > ? ORDER BY first_number LIMIT 1`,
        behind + 1,
        behind,
      );
      if (row === undefined) return;
      for (const [index, line] of row.entries.split("\n").entries()) {
        const entryNumber = row.first_number + index;
        if (line !== "" && entryNumber > behind) yield decodeEntry(entryNumber, line);
      }
      behind = row.last_number;
    }
  }

  /**
   * Blanks the entries of departed items in the oldest chunk behind `cursor` that is older than
   * `before` in stream time and ends at entry `through` at the latest, and answers the new
   * cursor; null when there is no such chunk. A line stays as an empty one, so that numbers keep
   * finding their lines; an empty chunk goes.
   */
  compactNext(
    cursor: number,
    through: number,
    before: number,
    isKept: (itemId: string) => boolean,
  ): number | null {
    type Row = { first_number: number; last_number: number; stream_time: number; entries: string };
    const [row] = this.storage.all<Row>(
      `SELECT * FROM entries WHERE first_number > ? ORDER BY first_number LIMIT 1`,
      cursor,
    );
    if (row === undefined || row.last_number > through || row.stream_time >= before) return null;
    const lines = row.entries.split("\n");
    const kept = lines.map((line, index) =>
      line !== "" && isKept(decodeEntry(row.first_number + index, line).itemId) ? line : "",
    );
    if (kept.every((line) => line === "")) {
      this.storage.run(`DELETE FROM entries WHERE first_number = ?`, row.first_number);
    } else if (kept.some((line, index) => line !== lines[index])) {
      this.storage.run(
        `UPDATE entries SET entries = ? WHERE first_number = ?`,
        kept.join("\n"),
        row.first_number,
      );
    }
    this.cache.delete(row.first_number);
    return row.first_number;
  }
}

type Line = [
  previous: number,
  kind: 0 | 1,
  offset: number,
  timestamp: number,
  itemId: string,
  bidderId: string,
  amount: number,
  reason: string,
  bids: number,
  highestEntry: number,
  id: string,
  bidId: string,
  source: string,
  subject: string,
  cell: string,
  country: string,
];

/** An empty bid id stands for the event's id, which most bids have. */
function encodeEntry(entry: Entry): string {
  const { identity } = entry;
  const line: Line = [
    entry.previous,
    entry.kind === "bid" ? 0 : 1,
    entry.offset,
    entry.timestamp,
    entry.itemId,
    entry.bidderId,
    entry.amount,
    entry.reason ?? "",
    entry.bids,
    entry.highestEntry,
    identity.id,
    entry.bidId === identity.id ? "" : entry.bidId,
    identity.source,
    identity.subject,
    entry.cell,
    entry.country,
  ];
  return JSON.stringify(line);
}

function decodeEntry(number: number, text: string): Entry {
  const line = JSON.parse(text) as Line;
  const [previous, kind, offset, timestamp, itemId, bidderId, amount, reason, bids, highestEntry] = line;
  const [, , , , , , , , , , id, bidId, source, subject, cell, country] = line;
  return {
    number,
    previous,
    kind: kind === 0 ? "bid" : "withdrawal",
    offset,
    timestamp,
    itemId,
    identity: { subject, source, id },
    reason: reason === "" ? null : (reason as NonNullable<Entry["reason"]>),
    bids,
    highestEntry,
    bidderId,
    bidId: bidId === "" && kind === 0 ? id : bidId,
    amount,
    cell,
    country,
  };
}

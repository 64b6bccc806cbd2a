import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { PartitionState } from "./sqlite-partitions.ts";
import { OFFSET_SPAN } from "./sqlite-schema.ts";

const NEWLINE = 10;

/** Reads committed chunks. What it returns is in the answer's form, cut at record ends. */
export class SqliteReader {
  readonly #chunksFrom: StatementSync;
  readonly #chunkAt: StatementSync;
  readonly #dataOf: StatementSync;

  constructor(database: DatabaseSync) {
    this.#chunksFrom = database.prepare(
      `SELECT id, data FROM chunks
       WHERE id >= (SELECT max(id) FROM chunks WHERE id <= ?) AND id < ? ORDER BY id`,
    );
    this.#chunkAt = database.prepare(
      "SELECT id, records, highest_timestamp FROM chunks WHERE id <= ? ORDER BY id DESC LIMIT 1",
    );
    this.#dataOf = database.prepare("SELECT data FROM chunks WHERE id = ?");
  }

  /**
   * Records from `offset` on, at most `maxBytes` of them; with `atLeastOne` the first record comes
   * although it is larger. The caller asks below the partition's end only.
   */
  read(partition: PartitionState, offset: number, maxBytes: number, atLeastOne: boolean): Buffer[] {
    const key = partition.id * OFFSET_SPAN + offset;
    const last = partition.id * OFFSET_SPAN + partition.end;
    const parts: Buffer[] = [];
    let budget = maxBytes;
    for (const row of this.#chunksFrom.iterate(key, last)) {
      const data = blob(row["data"]);
      const start = skipRecords(data, key - Number(row["id"]));
      const end = cut(data, start, budget, atLeastOne && parts.length === 0);
      if (end > start) parts.push(data.subarray(start, end));
      budget -= end - start;
      if (end < data.length) break;
    }
    return parts;
  }

  /**
   * The first offset whose timestamp is at or after `time`; the end where there is none.
   *
   * A chunk's `highest_timestamp` is the highest up to its end, so it never falls: the first chunk
   * that reaches `time` holds the first record that does, although timestamps go back and forth.
   */
  firstAtOrAfter(partition: PartitionState, time: number): number {
    if (partition.highestTimestamp < time) return partition.end;
    const first = partition.id * OFFSET_SPAN;
    let low = 0;
    let high = partition.end - 1;
    while (low < high) {
      const row = this.#chunkAt.get(first + Math.floor((low + high) / 2));
      const base = Number(row?.["id"]) - first;
      if (Number(row?.["highest_timestamp"]) >= time) high = base;
      else low = base + Number(row?.["records"]);
    }
    const base = Number(this.#chunkAt.get(first + low)?.["id"]) - first;
    return base + indexOfTime(blob(this.#dataOf.get(first + base)?.["data"]), time);
  }
}

/** A view as Buffer: its byte searches run natively. */
function blob(data: unknown): Buffer {
  if (!(data instanceof Uint8Array)) throw new TypeError("a chunk's data is not a blob");
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

/** Where the record after `count` others begins. */
function skipRecords(data: Buffer, count: number): number {
  let position = 0;
  for (let skipped = 0; skipped < count; skipped++) position = data.indexOf(NEWLINE, position) + 1;
  return position;
}

/** The end of the last whole record within `budget` bytes of `start`. */
function cut(data: Buffer, start: number, budget: number, atLeastOne: boolean): number {
  if (data.length - start <= budget) return data.length;
  const end = budget <= 0 ? 0 : data.lastIndexOf(NEWLINE, start + budget - 1) + 1;
  if (end > start) return end;
  return atLeastOne ? data.indexOf(NEWLINE, start) + 1 : start;
}

function indexOfTime(data: Buffer, time: number): number {
  const text = data.toString("utf8", 0, data.length - ",\n".length);
  const records = JSON.parse(`[${text}]`) as { readonly timestamp: number }[];
  return records.findIndex((record) => record.timestamp >= time);
}

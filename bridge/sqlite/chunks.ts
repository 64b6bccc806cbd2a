import type { DatabaseSync, StatementSync } from "node:sqlite";

/** A run of records that one commit wrote to one partition. */
export interface Chunk {
  /** The first record's offset, which is the row's key. */
  readonly base: number;
  readonly records: number;
  /**
   * The highest timestamp of the partition up to and including this chunk. It never falls from
   * chunk to chunk although timestamps may, so a look-up by time can bisect.
   */
  readonly highestTimestamp: number;
}

/**
 * The chunks of one partition: a table of their own. Every append goes to the table's right-hand
 * end, which SQLite fills page by page; partitions that shared one table would split pages in its
 * middle, and write half as much again.
 */
export class ChunkTable {
  readonly #insert: StatementSync;
  readonly #last: StatementSync;
  readonly #at: StatementSync;
  readonly #data: StatementSync;
  readonly #from: StatementSync;

  constructor(database: DatabaseSync, partitionId: number) {
    const table = `chunks_${partitionId}`;
    const columns = "base, records, highest_timestamp";
    database.exec(
      `CREATE TABLE IF NOT EXISTS ${table} (
         base INTEGER PRIMARY KEY,
         records INTEGER NOT NULL,
         highest_timestamp INTEGER NOT NULL,
         data BLOB NOT NULL
       )`,
    );
    this.#insert = database.prepare(`INSERT INTO ${table} (${columns}, data) VALUES (?, ?, ?, ?)`);
    this.#last = database.prepare(`SELECT ${columns} FROM ${table} ORDER BY base DESC LIMIT 1`);
    this.#at = database.prepare(`SELECT ${columns} FROM ${table} WHERE base <= ? ORDER BY base DESC LIMIT 1`);
    this.#data = database.prepare(`SELECT data FROM ${table} WHERE base = ?`);
    this.#from = database.prepare(
      `SELECT base, records, data FROM ${table}
       WHERE base >= (SELECT max(base) FROM ${table} WHERE base <= ?) ORDER BY base`,
    );
  }

  insert(chunk: Chunk, data: Uint8Array): void {
    this.#insert.run(chunk.base, chunk.records, chunk.highestTimestamp, data);
  }

  last(): Chunk | undefined {
    const row = this.#last.get();
    return row === undefined ? undefined : toChunk(row);
  }

  /** The chunk that holds an offset below the partition's end. */
  at(offset: number): Chunk {
    const row = this.#at.get(offset);
    if (row === undefined) throw new RangeError(`no chunk holds offset ${offset}`);
    return toChunk(row);
  }

  data(base: number): Buffer {
    return toBuffer(this.#data.get(base)?.["data"]);
  }

  /** The chunk that holds an offset, and all behind it. */
  *from(offset: number): Generator<Pick<Chunk, "base" | "records"> & { readonly data: Buffer }> {
    for (const row of this.#from.iterate(offset)) {
      yield { base: Number(row["base"]), records: Number(row["records"]), data: toBuffer(row["data"]) };
    }
  }
}

function toChunk(row: Readonly<Record<string, unknown>>): Chunk {
  return {
    base: Number(row["base"]),
    records: Number(row["records"]),
    highestTimestamp: Number(row["highest_timestamp"]),
  };
}

/** A view as Buffer: its byte searches run natively. */
function toBuffer(data: unknown): Buffer {
  if (!(data instanceof Uint8Array)) throw new TypeError("a chunk's data is not a blob");
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

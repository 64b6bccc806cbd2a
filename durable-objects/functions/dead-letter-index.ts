import type { PartitionStorage } from "../dependencies.ts";
import type { Ending } from "./changes.ts";

/** Dead letters that are kept for an operator; of older ones only the topic tells. */
const maximumKept = 10_000;

/** A record that ended, as an operator sees it. */
export interface DeadLetterEntry {
  readonly id: number;
  readonly function: string;
  readonly offset: number;
  readonly key: string;
  readonly attempts: number;
  /** How often it was taken back before. */
  readonly redriven: number;
  readonly error: string;
  /** Milliseconds since the epoch. */
  readonly endedAt: number;
}

interface Row extends Record<string, string | number> {
  id: number;
  function: string;
  record_offset: number;
  record_key: string;
  attempts: number;
  redriven: number;
  error: string;
  ended_at: number;
}

const columns = "id, function, record_offset, record_key, attempts, redriven, error, ended_at";

/** What ended and was not taken back: where it is in its topic, and why it ended. Its record is in the log. */
export class DeadLetterIndex {
  private readonly storage: PartitionStorage;

  constructor(storage: PartitionStorage) {
    this.storage = storage;
  }

  /**
   * Inside the transaction that ends them.
   * @param firstId none was given out before: an operator who names one means no other record
   */
  add(name: string, endings: readonly Ending[], firstId: number, now: number): void {
    for (const [index, { pending, reason }] of endings.entries()) {
      this.storage.run(
        `INSERT INTO dead_letters (id, function, record_offset, record_key, attempts, redriven, error, ended_at)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
        firstId + index,
        name,
        pending.offset,
        pending.record?.key ?? "",
        pending.attempts,
        pending.redriven,
        reason,
        now,
      );
    }
    this.storage.run(
      `DELETE FROM dead_letters WHERE id <= (SELECT max(id) FROM dead_letters) - ?`,
      maximumKept,
    );
  }

  /** Newest first. @param before only those with lower ids */
  newest(limit: number, before: number = Number.MAX_SAFE_INTEGER): DeadLetterEntry[] {
    return this.storage
      .all<Row>(`SELECT ${columns} FROM dead_letters WHERE id < ? ORDER BY id DESC LIMIT ?`, before, limit)
      .map(entryOf);
  }

  /** In offset order, so that what is taken back keeps the order of its key. */
  oldest(limit: number): DeadLetterEntry[] {
    return this.storage
      .all<Row>(`SELECT ${columns} FROM dead_letters ORDER BY record_offset, id LIMIT ?`, limit)
      .map(entryOf);
  }

  find(id: number): DeadLetterEntry | undefined {
    return this.storage.all<Row>(`SELECT ${columns} FROM dead_letters WHERE id = ?`, id).map(entryOf)[0];
  }

  /** Those of offsets, oldest first. */
  of(offsets: readonly number[]): DeadLetterEntry[] {
    const wanted = `record_offset IN (SELECT value FROM json_each(?))`;
    return this.storage
      .all<Row>(`SELECT ${columns} FROM dead_letters WHERE ${wanted} ORDER BY id`, JSON.stringify(offsets))
      .map(entryOf);
  }

  get count(): number {
    return this.storage.all<{ count: number }>(`SELECT count(*) AS count FROM dead_letters`)[0]?.count ?? 0;
  }

  /** Those whose records come again; inside the transaction that moves the position. */
  removeFrom(offset: number): void {
    this.storage.run(`DELETE FROM dead_letters WHERE record_offset >= ?`, offset);
  }

  /** Those of a function that is no more, which nobody could take back; inside the transaction that removes it. */
  removeOf(name: string): void {
    this.storage.run(`DELETE FROM dead_letters WHERE function = ?`, name);
  }

  /** Inside the transaction that takes it back. */
  remove(id: number): void {
    this.storage.run(`DELETE FROM dead_letters WHERE id = ?`, id);
  }
}

function entryOf(row: Row): DeadLetterEntry {
  return {
    id: row.id,
    function: row.function,
    offset: row.record_offset,
    key: row.record_key,
    attempts: row.attempts,
    redriven: row.redriven,
    error: row.error,
    endedAt: row.ended_at,
  };
}

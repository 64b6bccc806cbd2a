import { decodeHeaders, encodeHeaders } from "../../src/kafka/header-text.ts";
import type { LogRecord } from "../../src/kafka/port.ts";
import type { PartitionStorage, SqlValue } from "../dependencies.ts";
import type { Changes } from "./changes.ts";
import type { StoredDelivery } from "./held-records.ts";
import type { Ledger } from "./ledger.ts";
import type { Pending } from "./pending.ts";
import { StoredTrail } from "./trail-store.ts";
import type { Trail } from "./trail.ts";

/** A parked record as its row holds it. */
interface ParkedRow extends Record<string, string | number | null> {
  record_offset: number;
  lane: string;
  characters: number;
  attempts: number;
  not_before: number;
  first_attempt_at: number | null;
  error: string;
  redriven: number;
}

/** A record that waits, as an operator sees it. */
export interface ParkedEntry {
  readonly function: string;
  readonly key: string;
  readonly offset: number;
  /** Attempts that count; 0 where it only waits behind another of its key. */
  readonly attempts: number;
  /** Milliseconds since the epoch; 0: as soon as may be. */
  readonly nextAttemptAt: number;
  readonly firstAttemptAt: number | null;
  readonly error: string;
}

export type ParkedPlace = Pick<ParkedEntry, "function" | "offset">;

interface RecordRow extends Record<string, string | number> {
  record_timestamp: number;
  record_key: string;
  record_value: string;
  record_headers: string;
}

/** The ledgers and parked records of a group's functions on one partition. */
export class DeliveryStore {
  private readonly storage: PartitionStorage;
  private readonly place: { readonly topic: string; readonly partition: number };

  constructor(storage: PartitionStorage, place: { readonly topic: string; readonly partition: number }) {
    this.storage = storage;
    this.place = place;
  }

  /** Functions that something is stored of. */
  get names(): string[] {
    return this.storage
      .all<{ function: string }>(`SELECT function FROM deliveries`)
      .map((row) => row.function);
  }

  load(name: string): StoredDelivery {
    const [row] = this.storage.all<{ ledger: string; trail: string }>(
      `SELECT ledger, trail FROM deliveries WHERE function = ?`,
      name,
    );
    const parked = this.storage.all<ParkedRow>(
      `SELECT record_offset, lane, characters, attempts, not_before, first_attempt_at, error, redriven
         FROM parked WHERE function = ? ORDER BY record_offset`,
      name,
    );
    return {
      ledger: row === undefined ? undefined : (JSON.parse(row.ledger) as Ledger),
      trail: row?.trail ?? "",
      parked: parked.map(pendingOf),
    };
  }

  /** The record of a parked one, which memory does not keep. */
  recordOf(name: string, offset: number): LogRecord {
    const [row] = this.storage.all<RecordRow>(
      `SELECT record_timestamp, record_key, record_value, record_headers FROM parked
         WHERE function = ? AND record_offset = ?`,
      name,
      offset,
    );
    if (row === undefined) throw new Error(`${name} has no parked record ${offset}`);
    const { record_timestamp: timestamp, record_key: key, record_value: value } = row;
    return { ...this.place, offset, timestamp, key, value, headers: decodeHeaders(row.record_headers) };
  }

  /** Writes what changed; inside a transaction. */
  write(name: string, ledger: Ledger, changes: Changes, trail: Trail): void {
    this.writeLedger(name, ledger, trail.write(this.trailOf(name)));
    for (const offset of changes.removed)
      this.storage.run(`DELETE FROM parked WHERE function = ? AND record_offset = ?`, name, offset);
    for (const pending of changes.parked) this.insert(name, pending);
    for (const pending of changes.updated) this.update(name, pending);
  }

  private writeLedger(name: string, ledger: Ledger, trail: string): void {
    this.storage.run(
      `INSERT OR REPLACE INTO deliveries (function, ledger, trail) VALUES (?, ?, ?)`,
      name,
      JSON.stringify(ledger),
      trail,
    );
  }

  trailOf(name: string): StoredTrail {
    return new StoredTrail(this.storage, name);
  }

  private insert(name: string, pending: Pending): void {
    const { offset, lane, characters, attempts, notBefore, firstAttemptAt, error, redriven, record } =
      pending;
    if (record === undefined) throw new Error(`the record ${offset} that ${name} parks is not there`);
    this.storage.run(
      `INSERT OR REPLACE INTO parked (function, record_offset, lane, characters, attempts, not_before,
         first_attempt_at, error, redriven, record_timestamp, record_key, record_value, record_headers)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      name,
      offset,
      lane,
      characters,
      attempts,
      notBefore,
      firstAttemptAt,
      error,
      redriven,
      record.timestamp,
      record.key,
      record.value,
      encodeHeaders(record.headers),
    );
  }

  private update(name: string, { offset, attempts, notBefore, firstAttemptAt, error }: Pending): void {
    this.storage.run(
      `UPDATE parked SET attempts = ?, not_before = ?, first_attempt_at = ?, error = ?
         WHERE function = ? AND record_offset = ?`,
      attempts,
      notBefore,
      firstAttemptAt,
      error,
      name,
      offset,
    );
  }

  /** Parked records, each function's in offset order. @param after only those behind it */
  parked(limit: number, after: ParkedPlace = { function: "", offset: -1 }): ParkedEntry[] {
    return this.entries(
      `WHERE (function, record_offset) > (?, ?) ORDER BY function, record_offset LIMIT ?`,
      after.function,
      after.offset,
      limit,
    );
  }

  /** All of a key, each function's in offset order: as many as its budget lets a function park. */
  parkedOf(key: string): ParkedEntry[] {
    return this.entries(`WHERE record_key = ? ORDER BY function, record_offset`, key);
  }

  private entries(rest: string, ...parameters: SqlValue[]): ParkedEntry[] {
    return this.storage
      .all<ParkedRow & { function: string; record_key: string }>(
        `SELECT function, record_key, record_offset, lane, characters, attempts, not_before, first_attempt_at,
           error, redriven FROM parked ${rest}`,
        ...parameters,
      )
      .map((row) => ({
        function: row.function,
        key: row.record_key,
        offset: row.record_offset,
        attempts: row.attempts,
        nextAttemptAt: row.not_before,
        firstAttemptAt: row.first_attempt_at,
        error: row.error,
      }));
  }

  /** Has every function go on with the group from an offset on; inside a transaction. */
  goOnFrom(offset: number): void {
    for (const name of this.names) {
      const { ledger, trail } = this.load(name);
      const anew: Ledger = {
        position: null,
        sequence: 0,
        finished: [],
        calls: [],
        attempted: [],
        ...(ledger?.disabled === undefined ? {} : { disabled: ledger.disabled }),
      };
      this.writeLedger(name, anew, trail);
    }
    this.storage.run(`DELETE FROM parked WHERE record_offset >= ?`, offset);
  }

  /** Forgets a function that is no more; inside a transaction. */
  remove(name: string): void {
    this.storage.run(`DELETE FROM deliveries WHERE function = ?`, name);
    this.storage.run(`DELETE FROM parked WHERE function = ?`, name);
    this.storage.run(`DELETE FROM trail_pages WHERE function = ?`, name);
  }
}

function pendingOf(row: ParkedRow): Pending {
  return {
    offset: row.record_offset,
    lane: row.lane,
    characters: row.characters,
    admittedAt: 0,
    sequenceBefore: 0,
    record: undefined,
    attempts: row.attempts,
    notBefore: row.not_before,
    firstAttemptAt: row.first_attempt_at,
    error: row.error,
    redriven: row.redriven,
    isParked: true,
    isInFlight: false,
    isFinished: false,
  };
}

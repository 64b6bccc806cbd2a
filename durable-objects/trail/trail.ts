import type { JournalEvent } from "../../src/auction/decode.ts";
import type { Outcome } from "../../src/auction/events.ts";
import type { OutputTopic } from "../../src/auction/state.ts";
import type { ProduceRecord } from "../../src/kafka/port.ts";
import type { AppendedPlace, PartitionStorage } from "../dependencies.ts";
import { ByteWriter } from "./bytes.ts";
import { type Appended, type PerTopic, writeAppended } from "./steps.ts";
import { TrailTransaction } from "./transaction.ts";

/** When the tail is a page, and how many pages are kept. */
interface TrailLimits {
  readonly pageBytes: number;
  readonly pages: number;
}

/** A page has about 500 records under load, and 90 that come one by one. */
const trailLimits: TrailLimits = { pageBytes: 4_096, pages: 1_024 };

/** The newest stretch, whose bytes are buffers of their own. */
export interface TrailTail {
  readonly hashes: Uint32Array<ArrayBuffer>;
  readonly steps: Uint8Array<ArrayBuffer>;
}

/**
 * Where the recent records and what came of them are, so that one event can be followed: an index into
 * the log, which has the events themselves. The newest stretch rides in the row that each transaction
 * writes anyway, and moves to a page of its own when it is long: rows follow pages, not events. No
 * decision depends on it, and the digest does not see it.
 */
export class Trail {
  private readonly storage: PartitionStorage;
  private readonly hashOf: (id: string) => number;
  private readonly limits: TrailLimits;
  private readonly hashes: number[];
  private readonly steps = new ByteWriter();
  private lastPage: number;
  private transaction: TrailTransaction | undefined;
  private isUnwritten = false;

  /** @param hashOf 32 bits of an id, seeded, so that no client can make two ids collide */
  constructor(storage: PartitionStorage, hashOf: (id: string) => number, limits = trailLimits) {
    this.storage = storage;
    this.limits = limits;
    this.hashOf = hashOf;
    type Row = { trail_hashes: ArrayBuffer | null; trail_steps: ArrayBuffer | null };
    const [row] = storage.all<Row>(`SELECT trail_hashes, trail_steps FROM partition_state WHERE id = 1`);
    this.hashes = [...new Uint32Array(row?.trail_hashes ?? new ArrayBuffer(0))];
    if (row?.trail_steps != null) this.steps.all(new Uint8Array(row.trail_steps));
    const [last] = storage.all<{ page: number | null }>(`SELECT max(page) AS page FROM trail`);
    this.lastPage = last?.page ?? 0;
  }

  /** A transaction begins. @param sequences highest of each output topic before it */
  begin(from: number, sequences: PerTopic): void {
    this.transaction = new TrailTransaction(from, sequences, this.hashOf);
  }

  applied(event: JournalEvent): void {
    this.transaction?.applied(event);
  }

  told(topic: "items" | "journal", offset: number, outcome: Outcome, id: string): void {
    this.transaction?.told(topic, offset, outcome, id);
  }

  /** @param offset of the record that decided these outputs, whose sequences follow on those before */
  produced(topic: OutputTopic, offset: number, count: number): void {
    this.transaction?.produced(topic, offset, count);
  }

  /**
   * The transaction is decided. Inside it: a page is written where the tail has become one. Answers the
   * tail, which the transaction writes.
   * @param at by the object's clock
   */
  end(at: number): TrailTail {
    for (const hash of this.transaction?.hashes ?? []) this.hashes.push(hash);
    this.transaction?.write(this.steps, at);
    this.transaction = undefined;
    if (this.steps.length + 4 * this.hashes.length >= this.limits.pageBytes) this.turnPage();
    this.isUnwritten = false;
    return this.tail;
  }

  private turnPage(): void {
    const { hashes, steps } = this.tail;
    this.lastPage += 1;
    this.storage.run(
      `INSERT INTO trail (page, hashes, steps) VALUES (?, ?, ?)`,
      this.lastPage,
      hashes.buffer,
      steps.buffer,
    );
    this.storage.run(`DELETE FROM trail WHERE page <= ?`, this.lastPage - this.limits.pages);
    this.hashes.length = 0;
    this.steps.clear();
  }

  /** What is in no page yet; written with the position. */
  get tail(): TrailTail {
    return { hashes: Uint32Array.from(this.hashes), steps: this.steps.toBytes() };
  }

  /**
   * The log has these outputs, in order. In memory until the next transaction carries it, as their
   * acknowledgement is: a crash until then sends them again.
   */
  appended(
    topic: OutputTopic,
    records: readonly ProduceRecord[],
    places: readonly AppendedPlace[],
    at: number,
  ): void {
    for (const { sequence, offset, count } of stretchesOf(records, places))
      writeAppended(this.steps, { topic, sequence, offset, count, at });
    this.isUnwritten = true;
  }

  /** Writes what no transaction has come to carry; inside one that writes acknowledgements. */
  settle(): void {
    if (!this.isUnwritten) return;
    const { hashes, steps } = this.tail;
    this.storage.run(
      `UPDATE partition_state SET trail_hashes = ?, trail_steps = ? WHERE id = 1`,
      hashes.buffer,
      steps.buffer,
    );
    this.isUnwritten = false;
  }
}

/** Stretches of records that follow on one another in sequence and in offset: one, as a rule. */
function stretchesOf(
  records: readonly ProduceRecord[],
  places: readonly AppendedPlace[],
): readonly Pick<Appended, "sequence" | "offset" | "count">[] {
  const [first, last] = [places[0], places.at(-1)];
  if (first === undefined || last === undefined) return [];
  const count = places.length;
  const sequence = sequenceOf(records[0]);
  const isDense = last.offset - first.offset === count - 1;
  if (isDense && sequenceOf(records[count - 1]) - sequence === count - 1)
    return [{ sequence, offset: first.offset, count }];
  const half = count >>> 1;
  return [
    ...stretchesOf(records.slice(0, half), places.slice(0, half)),
    ...stretchesOf(records.slice(half), places.slice(half)),
  ];
}

function sequenceOf(record: ProduceRecord | undefined): number {
  const header = record?.headers.find(({ key }) => key === "gavel_sequence");
  return Number(header?.value ?? 0);
}

import type { LosersOutput } from "../../src/auction/state.ts";
import type { PartitionStorage } from "../dependencies.ts";
import type { PreparedOutput } from "../outbox-record.ts";
import { writeRows } from "./rows.ts";

/** One row's payload at most: less than one produce takes, and well under 2 MB even in UTF-8. */
const maximumRowCharacters = 400_000;
const maximumRowParts = 1_000;
/** Beyond this many characters of unsent outputs, the position waits. */
const maximumUnsentCharacters = 16_000_000;
const maximumUnsentRows = 2_000;

/** A fan-out that is made when it is sent: how far the walk over the item's entries has come. */
export interface FanOut {
  readonly losers: LosersOutput;
  /** Entry at which the walk goes on, 0 at its end. */
  readonly cursor: number;
  /** Outputs made so far. */
  readonly sent: number;
}

/** What comes next in a topic: an output, or the outputs that a fan-out still has to make. */
export type OutboxPart = PreparedOutput | FanOut;

/** The parts that one transaction has for one topic, or as many of them as fit a row. */
export interface OutboxRow {
  readonly id: number;
  readonly position: number;
  /** Sequence of the first output that is not in the log. */
  firstSequence: number;
  parts: OutboxPart[];
  readonly characters: number;
}

export function isFanOut(part: OutboxPart): part is FanOut {
  return !Array.isArray(part);
}

/** Outputs that a part still stands for. */
export function countOf(part: OutboxPart): number {
  return isFanOut(part) ? part.losers.count - part.sent : 1;
}

/**
 * What the reducer decided and the log has not acknowledged, per topic in order of sequence. A
 * row comes in the transaction that decided it and goes in one after the log has it; between the two a
 * crash leaves it here, and the same record is sent again under the same sequence.
 */
export class StoredOutbox<Topic extends string> {
  private readonly storage: PartitionStorage;
  private readonly topics: readonly Topic[];
  private readonly queues: Readonly<Record<Topic, OutboxRow[]>>;
  private nextId: number;
  private unsentCharacters = 0;
  private readonly finished: number[] = [];
  private readonly shortened = new Set<OutboxRow>();

  /** @param topics that outputs may go to */
  constructor(storage: PartitionStorage, topics: readonly Topic[]) {
    this.storage = storage;
    this.topics = topics;
    this.queues = Object.fromEntries(topics.map((topic) => [topic, []])) as unknown as Record<
      Topic,
      OutboxRow[]
    >;
    type Row = { id: number; topic: Topic; first_sequence: number; position: number; payload: string };
    const rows = storage.all<Row>(
      `SELECT id, topic, first_sequence, position, payload FROM outbox ORDER BY id`,
    );
    for (const { id, topic, first_sequence: firstSequence, position, payload } of rows) {
      const parts = JSON.parse(payload) as OutboxPart[];
      this.enqueue(topic, { id, position, firstSequence, parts, characters: payload.length });
    }
    this.nextId = (rows.at(-1)?.id ?? 0) + 1;
  }

  private enqueue(topic: Topic, row: OutboxRow): void {
    this.queues[topic].push(row);
    this.unsentCharacters += row.characters;
  }

  queue(topic: Topic): readonly OutboxRow[] {
    return this.queues[topic];
  }

  get isEmpty(): boolean {
    return this.topics.every((topic) => this.queues[topic].length === 0);
  }

  /** When it is full nothing more is applied: the position waits until the log takes outputs again. */
  get isFull(): boolean {
    const rows = this.topics.reduce((sum, topic) => sum + this.queues[topic].length, 0);
    return this.unsentCharacters >= maximumUnsentCharacters || rows >= maximumUnsentRows;
  }

  /** Outputs not yet acknowledged. */
  get unsent(): number {
    let sum = 0;
    for (const topic of this.topics) for (const row of this.queues[topic]) sum += countAll(row.parts);
    return sum;
  }

  /** Journal position at which the transaction of the oldest unsent outputs began. */
  get oldestPosition(): number {
    return Math.min(
      ...this.topics.map((topic) => this.queues[topic][0]?.position ?? Number.POSITIVE_INFINITY),
    );
  }

  /** Stores parts whose first output has this sequence; inside the transaction that decided them. */
  append(topic: Topic, sequence: number, parts: readonly OutboxPart[], position: number): void {
    let firstSequence = sequence;
    for (const some of splitBySize(parts)) {
      const payload = JSON.stringify(some);
      const id = this.insert(topic, firstSequence, position, payload);
      this.enqueue(topic, { id, position, firstSequence, parts: some, characters: payload.length });
      firstSequence += countAll(some);
    }
  }

  private insert(topic: Topic, firstSequence: number, position: number, payload: string): number {
    const id = this.nextId;
    this.nextId += 1;
    this.storage.run(
      `INSERT INTO outbox (id, topic, first_sequence, position, payload) VALUES (?, ?, ?, ?, ?)`,
      id,
      topic,
      firstSequence,
      position,
      payload,
    );
    return id;
  }

  /**
   * The log has the first `count` parts of the topic's queue, and of the fan-out behind them what
   * brings it to `begun`. Known in memory at once and written with the next transaction: a commit
   * of its own would cost as much as applying a record does. A crash in between sends them again
   * under the same sequences, as one between the answer and a commit would.
   */
  acknowledge(topic: Topic, count: number, begun: FanOut | undefined): void {
    const queue = this.queues[topic];
    let left = count;
    for (let row = queue[0]; row !== undefined && left >= row.parts.length; row = queue[0]) {
      left -= row.parts.length;
      this.unsentCharacters -= row.characters;
      this.finished.push(row.id);
      this.shortened.delete(row);
      queue.shift();
    }
    const [row] = queue;
    if (row === undefined || (left === 0 && begun === undefined)) return;
    const parts = begun === undefined ? row.parts.slice(left) : [begun, ...row.parts.slice(left + 1)];
    row.firstSequence += countAll(row.parts) - countAll(parts);
    row.parts = parts;
    this.shortened.add(row);
  }

  /** Whether acknowledgements are known and not written yet. */
  get hasUnwritten(): boolean {
    return this.finished.length > 0 || this.shortened.size > 0;
  }

  /** Writes what was acknowledged; inside a transaction. */
  writeAcknowledged(): void {
    writeRows(this.storage, 1, this.finished, (rows) => `DELETE FROM outbox WHERE id IN (VALUES ${rows})`);
    for (const { id, firstSequence, parts } of this.shortened) {
      this.storage.run(
        `UPDATE outbox SET first_sequence = ?, payload = ? WHERE id = ?`,
        firstSequence,
        JSON.stringify(parts),
        id,
      );
    }
    this.finished.length = 0;
    this.shortened.clear();
  }
}

function countAll(parts: readonly OutboxPart[]): number {
  return parts.reduce((sum, part) => sum + countOf(part), 0);
}

function* splitBySize(parts: readonly OutboxPart[]): Generator<OutboxPart[]> {
  let some: OutboxPart[] = [];
  let characters = 0;
  for (const part of parts) {
    const size = 400 + (isFanOut(part) ? 0 : part[4].length);
    if (some.length === maximumRowParts || (some.length > 0 && characters + size > maximumRowCharacters)) {
      yield some;
      [some, characters] = [[], 0];
    }
    some.push(part);
    characters += size;
  }
  if (some.length > 0) yield some;
}

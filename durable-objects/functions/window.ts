import { firstNotBefore } from "../../src/lib/sorted.ts";
import type { Pending } from "./pending.ts";
import { fromRanges, toRanges } from "./ranges.ts";

export interface WindowLimits {
  /** Records of one function in memory that make it full, the characters of their values, and offsets that they span. */
  readonly records: number;
  readonly characters: number;
  readonly span: number;
}

export const windowLimits: WindowLimits = { records: 2_000, characters: 2_000_000, span: 20_000 };

/**
 * Records from a function's position on, in offset order: what is unfinished and has no row of its
 * own, and what is finished behind it. The position is the first offset that is neither finished
 * nor parked, so that after a crash nothing that is unfinished is missed, and what the ledger knows
 * to be finished is not called again.
 */
export class Window {
  private records: Pending[] = [];
  private head = 0;
  /** Finished according to the ledger, and not read again yet. */
  private readonly finished: Set<number>;
  /** Highest offset that was called or has attempts: behind it nothing is finished. */
  private reach = -1;
  /** Next offset to admit. */
  next: number;
  characters = 0;

  /** Highest sequence of the topic's writer among what was read. */
  sequence: number;

  constructor(position: number, sequence: number, finished: readonly number[]) {
    this.next = position;
    this.sequence = sequence;
    this.finished = new Set(fromRanges(finished));
  }

  get position(): number {
    this.moveOn();
    return this.records[this.head]?.offset ?? this.next;
  }

  /** Highest sequence of the topic's writer before the position. */
  get sequenceAtPosition(): number {
    this.moveOn();
    return this.records[this.head]?.sequenceBefore ?? this.sequence;
  }

  private moveOn(): void {
    for (let record = this.records[this.head]; record !== undefined; record = this.records[this.head]) {
      if (!record.isFinished && !record.isParked) break;
      this.head += 1;
    }
    // Half of it at least, so that what is moved costs no more than what was passed.
    if (this.head * 2 < this.records.length || this.head === 0) return;
    this.records = this.records.slice(this.head);
    this.head = 0;
  }

  /** Records between the position and the end, finished ones included. */
  get size(): number {
    this.moveOn();
    return this.records.length - this.head;
  }

  /** How many offsets lie between the position and the end. */
  get span(): number {
    return this.next - this.position;
  }

  isFinished(offset: number): boolean {
    return this.finished.has(offset);
  }

  /** It is called, or has attempts that count. */
  touch(offset: number): void {
    if (offset > this.reach) this.reach = offset;
  }

  /** Nothing is left to be done for a record that is not here: at or behind the position only this says so. */
  finishOutside(offset: number): void {
    if (offset >= this.position) this.finished.add(offset);
  }

  add(pending: Pending): void {
    this.records.push(pending);
    this.characters += pending.characters;
  }

  /** It is finished or has a row of its own: the window holds its value no more. */
  leave(pending: Pending): void {
    this.characters -= pending.characters;
  }

  /** Unfinished and not parked, oldest first: whatever becomes of them meanwhile, none is left out. */
  *unfinished(): Generator<Pending> {
    // Whoever is handed them may have the window move on, which makes the list anew.
    const { records, head } = this;
    for (let index = head; index < records.length; index += 1) {
      const record = records[index] as Pending;
      if (!record.isFinished && !record.isParked) yield record;
    }
  }

  /** The one of them that has the offset. */
  unfinishedAt(offset: number): Pending | undefined {
    const before = (left: { offset: number }, right: { offset: number }) => left.offset < right.offset;
    const index = firstNotBefore<{ readonly offset: number }>(this.records, { offset }, before);
    const record = this.records[index];
    if (record?.offset !== offset || record.isFinished || record.isParked) return undefined;
    return record;
  }

  /** Of them, those that may have attempts. */
  *touched(): Generator<Pending> {
    for (const record of this.unfinished()) {
      if (record.offset > this.reach) return;
      yield record;
    }
  }

  /** Offsets behind the position that are finished, as ranges. Parked ones have their rows. */
  finishedRanges(): number[] {
    const { position } = this;
    const known: number[] = [];
    for (let index = this.head; index < this.records.length; index += 1) {
      const record = this.records[index] as Pending;
      if (record.offset > this.reach) break;
      if (record.isFinished) known.push(record.offset);
    }
    if (this.finished.size === 0) return toRanges(known);
    for (const offset of this.finished) if (offset < position) this.finished.delete(offset);
    return toRanges([...known, ...this.finished].sort((left, right) => left - right));
  }

  /** Forgets what was read and is not parked: it is read again from the position on. Answers what it was. */
  release(): Pending[] {
    const position = this.position;
    this.sequence = this.sequenceAtPosition;
    const released = [...this.unfinished()];
    for (const offset of fromRanges(this.finishedRanges())) this.finished.add(offset);
    this.records = [];
    this.head = 0;
    this.next = position;
    this.reach = -1;
    this.characters = 0;
    return released;
  }
}

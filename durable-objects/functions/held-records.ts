import type { FunctionOutput, FunctionSettings } from "../../src/functions/function.ts";
import type { LogRecord } from "../../src/kafka/port.ts";
import { ChangeLog, type Changes } from "./changes.ts";
import { type CallLimits, Lanes } from "./lanes.ts";
import {
  type Attempted,
  attemptedStretches,
  type Interrupted,
  interruptedOf,
  type Ledger,
  quietUntilOf,
} from "./ledger.ts";
import { ParkedRecords } from "./parked-records.ts";
import { newPending, type Pending } from "./pending.ts";
import type { ReadRecord } from "./read-record.ts";
import { Window, type WindowLimits, windowLimits } from "./window.ts";

/** Where in a topic's partition a reader is. */
export interface Place {
  /** Next offset. */
  readonly position: number;
  /** Highest sequence of the topic's writer before it. */
  readonly sequence: number;
}

export interface StoredDelivery {
  /** Absent for a function that is new on this partition. */
  readonly ledger: Ledger | undefined;
  /** Its recent calls, as they were written; "" where nothing is stored of them. */
  readonly trail: string;
  /** Rows of records that wait, in offset order. */
  readonly parked: readonly Pending[];
}

/** An unfinished record, or that there is nothing to be done for the offset: any more, or as yet. */
export type RecordState =
  | Pick<Pending, "attempts" | "firstAttemptAt" | "isInFlight" | "isParked">
  | "finished"
  | "not-yet";

/**
 * The records that one function has on hand on one partition. A record is, at any time, one of: not
 * admitted (the log has it, behind `next`), in the window (unfinished, at or behind the position),
 * parked (a row of its own, and the position may be past it), or finished. Each change from one to
 * another is in the transaction that makes it true.
 */
export class HeldRecords {
  readonly lanes = new Lanes();
  private readonly settings: Pick<FunctionSettings, "budget" | "order">;
  private limits: WindowLimits;
  private readonly window: Window;
  private readonly parked: ParkedRecords;
  private readonly interrupted: Map<number, Interrupted>;
  /**
   * Until then calls from before the object ended may still run, and whose lanes they are may not be
   * known yet: what is not in its lane's turn waits until then.
   */
  readonly quietUntil: number;
  /** Until then a call of a record may run that is there no more. */
  private goneUntil = 0;
  private changeLog = new ChangeLog();

  /** @param head the group's place, where a function without one of its own goes on */
  constructor(
    settings: Pick<FunctionSettings, "budget" | "order">,
    { ledger, parked }: StoredDelivery,
    head: Place,
    limits: WindowLimits,
  ) {
    this.settings = settings;
    this.parked = new ParkedRecords(settings.budget);
    this.limits = limits;
    const { position = null, sequence = 0, finished = [] } = ledger ?? {};
    const place = position === null ? head : { position, sequence };
    this.window = new Window(place.position, place.sequence, finished);
    this.interrupted = ledger === undefined ? new Map<number, Interrupted>() : interruptedOf(ledger);
    this.quietUntil = ledger === undefined ? 0 : quietUntilOf(ledger);
    this.goneUntil = ledger?.goneUntil ?? 0;
    for (const pending of parked) this.restore(pending);
  }

  /** A row is read again. What was in flight when the object ended has one attempt more. */
  private restore(pending: Pending): void {
    const interrupted = this.interrupted.get(pending.offset);
    if (interrupted !== undefined) {
      pending.attempts += interrupted.attempts;
      pending.notBefore = Math.max(pending.notBefore, interrupted.notBefore);
      pending.firstAttemptAt ??= interrupted.firstAttemptAt;
      this.interrupted.delete(pending.offset);
      this.changeLog.update(pending);
    }
    // Taken back while a later one of its lane was called.
    if (pending.redriven > 0) pending.notBefore = Math.max(pending.notBefore, this.quietUntil);
    this.addParked(pending, 0);
  }

  private addParked(pending: Pending, now: number): void {
    this.parked.add(pending);
    this.lanes.add(pending, now);
  }

  /** What waits was not tried for a while, which does not count as its age. */
  forgetAges(): void {
    for (const pending of this.parked.all) {
      if (pending.firstAttemptAt === null) continue;
      pending.firstAttemptAt = null;
      this.changeLog.update(pending);
    }
  }

  shareMemory(characters: number): void {
    const { limits } = this;
    this.limits = { ...limits, characters: Math.min(windowLimits.characters, characters) };
  }

  /** The budget of parked records is spent. */
  get isOverBudget(): boolean {
    return this.parked.isOverBudget;
  }

  /** First offset that is neither finished nor parked. */
  get position(): number {
    return this.window.position;
  }

  /** Next offset to admit. */
  get next(): number {
    return this.window.next;
  }

  /** Highest offset that is finished or may be. */
  get highestFinished(): number {
    return Math.max(this.position - 1, this.window.finishedRanges().at(-1) ?? -1);
  }

  get parkedCount(): number {
    return this.parked.size;
  }

  /** How many records the window has room for. */
  get room(): number {
    const { records, characters, span } = this.limits;
    if (this.window.characters >= characters || this.window.span >= span) return 0;
    return Math.max(0, records - this.window.size);
  }

  /** Lowest offset that is not finished, parked ones included; null where all that was handed over is. */
  get oldestUnfinished(): number | null {
    let oldest = this.position < this.next ? this.position : null;
    for (const offset of this.parked.offsets) oldest = Math.min(oldest ?? offset, offset);
    return oldest;
  }

  /**
   * Parks what waits for a call under way or for a retry, oldest first, until half of the window is
   * free: what holds up a lane holds up no other. Where the whole partition is one lane there is no
   * other. Order: of a lane's records the parked ones are always the oldest, since these are parked
   * first and a retry is of the oldest; so a lane that is read again continues behind them.
   */
  makeRoom(): void {
    if (this.room > 0 || this.settings.order === "partition") return;
    for (const pending of this.window.unfinished()) {
      if (this.isOverBudget || this.isHalfFree) return;
      if (this.lanes.isBlocked(pending)) this.park(pending);
    }
  }

  /** It holds twice what it should: what was read beyond its room is that much at most. */
  get isFarOver(): boolean {
    const { records, characters } = this.limits;
    return this.window.size >= 2 * records || this.window.characters >= 2 * characters;
  }

  /** Of each limit, since each of them may be what it is full by. */
  private get isHalfFree(): boolean {
    const { records, characters, span } = this.limits;
    const { window } = this;
    return window.size <= records / 2 && window.characters <= characters / 2 && window.span <= span / 2;
  }

  /**
   * Takes records in offset order from `next` on, all of them: whoever reads asks first whether
   * there is room. A record whose sequence is not above the last one is a repetition of an append
   * that was in doubt, and is dropped. Answers whether a record was admitted.
   * @param end where the records' stretch of the log ends
   * @param isEnough asked behind each that is admitted: whether the rest is left to the log
   */
  admit(
    records: readonly ReadRecord[],
    end: number,
    now: number,
    selects: (record: ReadRecord) => boolean,
    isEnough: () => boolean,
  ): boolean {
    const { window } = this;
    let isAdmitted = false;
    for (const read of records) {
      const { record, sequence } = read;
      const { offset } = record;
      if (offset < window.next || offset >= end) continue;
      this.passOver(offset);
      const isRepetition = sequence > 0 && sequence <= window.sequence;
      const isKnown = window.isFinished(offset) || this.parked.has(offset);
      const isWanted = !isRepetition && !isKnown && selects(read);
      if (isWanted) this.admitOne(record, now);
      // On record: read again when the log has deleted what it repeats, it would pass for a new one.
      if (isRepetition) window.finishOutside(offset);
      isAdmitted ||= isWanted;
      window.sequence = Math.max(window.sequence, sequence);
      if (isWanted) window.next = offset + 1;
      else this.passOver(offset + 1);
      if (isWanted && isEnough()) return true;
    }
    this.passOver(end);
    return isAdmitted;
  }

  /**
   * Up to an offset there is nothing more to admit. Of a record that was in flight when the object ended
   * and is not there any more (the log has deleted it) nobody knows the lane, in which its call may
   * still run: so what comes behind it waits for that call's deadline, in every lane.
   */
  private passOver(end: number): void {
    const { interrupted, window } = this;
    if (end <= window.next) return;
    for (const [offset, { notBefore }] of interrupted) {
      if (offset < window.next || offset >= end) continue;
      this.goneUntil = Math.max(this.goneUntil, Math.min(notBefore, this.quietUntil));
      interrupted.delete(offset);
    }
    window.next = end;
  }

  private admitOne(record: LogRecord, now: number): void {
    const pending = newPending(record, this.laneOf(record), now, this.window.sequence);
    const interrupted = this.interrupted.get(record.offset);
    if (interrupted !== undefined) Object.assign(pending, interrupted);
    pending.notBefore = Math.max(pending.notBefore, this.goneUntil);
    if (pending.attempts > 0) this.window.touch(pending.offset);
    this.window.add(pending);
    this.lanes.add(pending, now);
  }

  /** Takes what the next call carries; nothing while it may wait for company. */
  take(limits: CallLimits, now: number): Pending[] {
    const taken = this.lanes.take(limits, now);
    const last = taken.at(-1);
    if (last !== undefined) this.window.touch(last.offset);
    return taken;
  }

  /** Takes one record alone, where it may be called. */
  takeAlone(pending: Pending): boolean {
    const isTaken = this.lanes.takeAlone(pending);
    if (isTaken) this.window.touch(pending.offset);
    return isTaken;
  }

  private laneOf({ key, offset }: LogRecord): string {
    const { order } = this.settings;
    if (order === "partition") return "";
    // Without a key there is nothing whose order could be kept.
    return order === "key" && key !== "" ? `k${key}` : `o${offset}`;
  }

  /** It waits for its next attempt in a row of its own. */
  park(pending: Pending): void {
    if (pending.isParked) return this.changeLog.update(pending);
    this.window.leave(pending);
    pending.isParked = true;
    this.parked.add(pending);
    this.interrupted.delete(pending.offset);
    this.changeLog.park(pending);
  }

  /** It is done, and this was made of it. */
  finish(pending: Pending, outputs: readonly FunctionOutput[] = []): void {
    if (outputs.length > 0) this.changeLog.made.push({ pending: { ...pending }, outputs });
    this.leave(pending);
  }

  /** It becomes a dead letter, in the transaction in which its lane goes on. */
  end(pending: Pending, reason: string): void {
    this.changeLog.endings.push({ pending: { ...pending }, reason });
    this.leave(pending);
  }

  private leave(pending: Pending): void {
    pending.isFinished = true;
    this.lanes.remove(pending);
    this.interrupted.delete(pending.offset);
    if (!pending.isParked) return this.window.leave(pending);
    this.window.finishOutside(pending.offset);
    this.parked.remove(pending);
    this.changeLog.unpark(pending);
  }

  /** Nothing is called for long: what the log has as well is left to the log. */
  release(): void {
    for (const pending of this.window.release()) {
      const { attempts, firstAttemptAt, notBefore } = pending;
      if (attempts > 0)
        this.interrupted.set(pending.offset, { attempts, notBefore, firstAttemptAt: firstAttemptAt ?? 0 });
      this.lanes.remove(pending);
    }
  }

  /** What is known of an offset. */
  stateOf(offset: number): RecordState {
    const pending = this.parked.get(offset) ?? this.window.unfinishedAt(offset);
    if (pending !== undefined) return pending;
    const interrupted = this.interrupted.get(offset);
    if (interrupted !== undefined) return { ...interrupted, isParked: false, isInFlight: false };
    return offset < this.next || this.window.isFinished(offset) ? "finished" : "not-yet";
  }

  /** When a record may be called out of turn. */
  notBefore(now: number): number {
    return Math.max(now, this.quietUntil);
  }

  /** A parked record that no call is under way for. */
  parkedAt(offset: number): Pending | undefined {
    const pending = this.parked.get(offset);
    return pending?.isInFlight === true ? undefined : pending;
  }

  /** A dead letter's record comes back, to be called once more from its first attempt on. */
  takeBack(record: LogRecord, redriven: number, now: number): boolean {
    if (this.isOverBudget || this.parked.has(record.offset) || record.offset >= this.next) return false;
    const pending = newPending(record, this.laneOf(record), now, 0);
    pending.redriven = redriven;
    pending.notBefore = this.notBefore(now);
    pending.isParked = true;
    this.addParked(pending, now);
    this.changeLog.park(pending);
    return true;
  }

  /** Whether rows have to come, change or go, or an output be sent: which waits for nothing. */
  get hasChanges(): boolean {
    return !this.changeLog.isEmpty;
  }

  takeChanges(): Changes {
    const changes = this.changeLog;
    this.changeLog = new ChangeLog();
    return changes;
  }

  /** What a ledger says of the records. @param head the group's position */
  toLedger(
    head: number,
  ): Pick<Ledger, "position" | "sequence" | "finished" | "attempted" | "goneUntil" | "quietUntil"> {
    const { goneUntil, quietUntil } = this;
    const finished = this.window.finishedRanges();
    const { position, sequenceAtPosition: sequence } = this.window;
    return {
      // What has nothing of its own moves with the group, which costs no row.
      position: position === head && this.interrupted.size === 0 ? null : position,
      sequence,
      finished,
      attempted: attemptedStretches(this.attemptedRecords()),
      ...(quietUntil > 0 ? { quietUntil } : {}),
      ...(goneUntil > 0 ? { goneUntil } : {}),
    };
  }

  /** Records without a row whose attempts count, in offset order: in the window, or not read again yet. */
  private attemptedRecords(): Iterable<Attempted> {
    if (this.interrupted.size === 0) return this.window.touched();
    const attempted = new Map<number, Attempted>();
    for (const [offset, interrupted] of this.interrupted) attempted.set(offset, { offset, ...interrupted });
    for (const pending of this.window.touched()) attempted.set(pending.offset, pending);
    return [...attempted.values()].sort((left, right) => left.offset - right.offset);
  }
}

import type { FunctionSettings, InvocationResult, Outcome } from "../../src/functions/function.ts";
import type { LogRecord } from "../../src/kafka/port.ts";
import { delayAfter } from "./backoff.ts";
import { type Call, CallsUnderWay } from "./calls-under-way.ts";
import type { Changes } from "./changes.ts";
import { outcomeOf } from "./checked-result.ts";
import { Circuit } from "./circuit.ts";
import { HeldRecords, type Place, type RecordState, type StoredDelivery } from "./held-records.ts";
import type { CallLimits } from "./lanes.ts";
import { LastAttempt } from "./last-attempt.ts";
import { type Disabled, type Failing, failingAfter, type Ledger } from "./ledger.ts";
import type { Pending } from "./pending.ts";
import type { ReadRecord } from "./read-record.ts";
import { Trail } from "./trail.ts";
import { windowLimits } from "./window.ts";

/**
 * Of how many lanes a record may be tried as a probe: where it fails by one of them, another tells. Of
 * two at first, and of one more behind each probe that failed, up to the most: several may be bad.
 */
const probedLanes = 2;
const mostProbedLanes = 32;
/** A position that has moved so far over what is not selected is stored: it would be read again. */
const longestUnstored = 5_000;

/**
 * One function on one partition: which of its records are called when, and what becomes of them.
 * Pure: time comes in, changes come out, and the caller stores them in one transaction before
 * anything that rests on them happens outside.
 */
export class Delivery {
  readonly name: string;
  readonly settings: FunctionSettings;
  readonly circuit: Circuit;
  readonly calls = new CallsUnderWay();
  /** Its recent calls; stored with the ledger. */
  readonly trail: Trail;
  private readonly random: () => number;
  private readonly records: HeldRecords;
  private disabledFor: Disabled | undefined;
  private failingFor: Failing | undefined;
  private isChanged = false;
  private readonly lastAttempt: LastAttempt;
  /** According to storage it has no position of its own. */
  private isStoredAtHead: boolean;
  private storedPosition: number;

  /** @param head the group's place, where a function without one of its own goes on */
  constructor(
    name: string,
    settings: FunctionSettings,
    stored: StoredDelivery,
    head: Place,
    random: () => number,
    limits = windowLimits,
  ) {
    this.name = name;
    this.settings = settings;
    this.random = random;
    this.circuit = new Circuit(settings.circuit, stored.ledger?.circuit);
    this.disabledFor = stored.ledger?.disabled;
    this.failingFor = stored.ledger?.failing;
    this.isStoredAtHead = (stored.ledger?.position ?? null) === null;
    this.records = new HeldRecords(settings, stored, head, limits);
    this.lastAttempt = new LastAttempt(this.records);
    this.storedPosition = this.records.position;
    this.trail = new Trail(stored.trail, stored.ledger === undefined ? -1 : this.records.highestFinished);
  }

  /** First offset that is neither finished nor parked. */
  get position(): number {
    return this.records.position;
  }

  /** Next offset to admit. */
  get next(): number {
    return this.records.next;
  }

  get parkedCount(): number {
    return this.records.parkedCount;
  }

  get oldestUnfinished(): number | null {
    return this.records.oldestUnfinished;
  }

  /** What is known of an offset. */
  stateOf(offset: number): RecordState {
    return this.records.stateOf(offset);
  }

  get inFlight(): number {
    return this.calls.size;
  }

  get disabled(): Disabled | undefined {
    return this.disabledFor;
  }

  /** Since when nothing was done of what failed; undefined where something was, or nothing failed. */
  get failing(): Failing | undefined {
    return this.failingFor;
  }

  /** Until then calls from before the object ended may still run, in milliseconds since the epoch. */
  get quietUntil(): number {
    return this.records.quietUntil;
  }

  /** It has no more characters of values in memory than this. */
  shareMemory(characters: number): void {
    this.records.shareMemory(characters);
  }

  /** Calls nothing any more; the position stays, and so does what is parked. */
  disable(disabled: Disabled): void {
    this.disabledFor = disabled;
    this.isChanged = true;
    this.releaseWhereFull();
  }

  /** Whoever keeps the functions knows that it is disabled. */
  wasTold(): void {
    if (this.disabledFor === undefined) return;
    const { reason, at } = this.disabledFor;
    this.disabledFor = { reason, at };
    this.isChanged = true;
  }

  /** Goes on where it stopped, and holds nothing against the endpoint. */
  enable(): void {
    if (this.disabledFor === undefined) return;
    this.disabledFor = undefined;
    this.failingFor = undefined;
    this.records.forgetAges();
    this.circuit.succeed();
    this.isChanged = true;
  }

  /** Why nothing more is admitted, in a plain sentence; undefined while something is. */
  get full(): string | undefined {
    const { open } = this.circuit;
    if (this.disabledFor !== undefined) return `${this.name} is disabled: ${this.disabledFor.reason}`;
    if (open !== undefined) return `the circuit of ${this.name} is open: ${open.reason}`;
    if (this.records.isOverBudget)
      return `${this.name} has ${this.parkedCount} parked records, and may not have more`;
    return undefined;
  }

  /** The circuit is open, and records of few lanes are all that a probe needs. */
  private get isWaitingForProbe(): boolean {
    return this.circuit.open !== undefined && this.disabledFor === undefined && !this.records.isOverBudget;
  }

  /** Whether there are lanes enough that a probe can take from. */
  private get hasProbes(): boolean {
    const { open } = this.circuit;
    if (open === undefined || this.calls.size > 0) return true;
    return this.records.lanes.countCallable(open.probeAt, this.wantedLanes) >= this.wantedLanes;
  }

  private get wantedLanes(): number {
    if (this.settings.order === "partition") return 1;
    return Math.min(mostProbedLanes, probedLanes + (this.circuit.open?.probes ?? 0));
  }

  /** How many records may be admitted now. */
  get room(): number {
    if (this.isWaitingForProbe) return this.hasProbes ? 0 : Math.min(1, this.records.room);
    return this.full === undefined ? this.records.room : 0;
  }

  /**
   * Parks what is held up, where it takes the room of others: where a call could start, and nothing
   * on hand may be called. A function that is only busy needs no more records, and a row for each.
   */
  makeRoom(): void {
    const isIdle = this.calls.size < this.settings.concurrency && !this.records.lanes.hasReady;
    if (isIdle && this.full === undefined) this.records.makeRoom();
  }

  /**
   * Takes records in offset order from `next` on, as a rule all of them, also beyond its room: whoever
   * reads asks first whether there is any, and reading them once more costs more than holding them. Of
   * very many it leaves the rest to the log, and falls behind; for a probe those of few lanes are enough.
   * @param end where the records' stretch of the log ends
   * @param selects whether the function wants the record
   */
  admit(
    records: readonly ReadRecord[],
    end: number,
    now: number,
    selects: (record: ReadRecord) => boolean,
  ): void {
    const isEnough = (): boolean => (this.isWaitingForProbe ? this.hasProbes : this.records.isFarOver);
    if (this.records.admit(records, end, now, selects, isEnough)) this.isChanged = true;
  }

  private get limits(): CallLimits {
    const { batch } = this.settings;
    const { attempts } = this.settings.retry;
    return { ...batch, attempts, count: this.circuit.open === undefined ? batch.count : 1 };
  }

  /** A record that may be what ended the object waits to be called with no other call in it. */
  waitsAlone(now: number): boolean {
    return this.lastAttempt.isWaiting && this.disabledFor === undefined && this.circuit.mayCall(now);
  }

  /** Such a record is called now: nothing else may be. */
  get isAlone(): boolean {
    return this.lastAttempt.isUnderWay;
  }

  /**
   * Takes what the next call carries; undefined while none may start. The caller stores it before it calls.
   * @param beside calls of other functions under way in the object
   */
  start(now: number, beside = 0): Call | undefined {
    const { concurrency, timeoutMs } = this.settings;
    if (this.disabledFor !== undefined || this.calls.size >= concurrency) return undefined;
    if (!this.circuit.mayCall(now)) return undefined;
    const records = this.lastAttempt.take(this.limits, now, this.calls.size + beside);
    if (records.length === 0) return undefined;
    const call = { records, startedAt: now, deadline: now + timeoutMs, isProbe: this.circuit.starts() };
    this.calls.add(call);
    this.isChanged = true;
    return call;
  }

  /** What became of a call. One that is not known any more (the state was read again) changes nothing. */
  settle(call: Call, result: InvocationResult, now: number): void {
    if (!this.calls.end(call)) return;
    this.isChanged = true;
    this.lastAttempt.settle(call.records);
    const wasOpen = this.circuit.open !== undefined;
    this.tellCircuit(call, result, now);
    this.failingFor = failingAfter(this.failingFor, result, now);
    if (result.isGone === true)
      this.disabledFor = { reason: "the endpoint wants no more calls (410)", at: now, isUntold: true };
    const countsAttempts =
      !wasOpen && result.isGone !== true && (result.failure === undefined || call.records.length === 1);
    const held = new Set<string>();
    call.records.forEach((pending, index) => {
      // Behind one that is tried again, whatever was answered for it: it is called again in its turn.
      if (held.has(pending.lane)) return;
      const outcome = outcomeOf(result, index);
      if (outcome.status === "retry") this.tryAgain(pending, call, outcome, now, countsAttempts);
      else this.finish(pending, outcome);
      if (!pending.isFinished) held.add(pending.lane);
    });
    this.trail.note(call, (index) => outcomeOf(result, index).status === "done", now);
    this.records.lanes.giveBack(call.records, now);
    this.releaseWhereFull();
  }

  private releaseWhereFull(): void {
    const isForProbe = this.isWaitingForProbe && this.records.lanes.laneCount <= this.wantedLanes;
    if (this.full !== undefined && this.calls.size === 0 && !isForProbe) this.records.release();
  }

  private tellCircuit(call: Call, { failure }: InvocationResult, now: number): void {
    if (failure === undefined) return this.circuit.succeed();
    const { isProbe, records } = call;
    this.circuit.fail({ ...failure, isProbe, offsets: records.map(({ offset }) => offset) }, now);
  }

  private tryAgain(
    pending: Pending,
    call: Call,
    { reason, delayMs }: Extract<Outcome, { status: "retry" }>,
    now: number,
    countsAttempts: boolean,
  ): void {
    const { retry } = this.settings;
    pending.error = reason;
    if (!countsAttempts && !call.isProbe) {
      // Of a call that failed as a whole nothing says which record it was, if it was one at all.
      pending.notBefore = now + (delayMs ?? delayAfter(1, retry, this.random));
      pending.company = Math.max(1, call.records.length >>> 1);
      return;
    }
    // A probe spends no attempt; but a record that is all there is to probe with does not stay for ever.
    if (countsAttempts) pending.attempts += 1;
    pending.firstAttemptAt ??= call.startedAt;
    const isTooOld = now - pending.firstAttemptAt >= retry.maximumAgeMs;
    const isAlone = this.records.lanes.laneCount === 1;
    if (pending.attempts >= retry.attempts || (isTooOld && (countsAttempts || isAlone))) {
      this.circuit.ended(pending.offset);
      return this.records.end(pending, reason);
    }
    pending.notBefore = now + (delayMs ?? delayAfter(Math.max(1, pending.attempts), retry, this.random));
    this.records.park(pending);
  }

  private finish(pending: Pending, outcome: Exclude<Outcome, { status: "retry" }>): void {
    if (outcome.status === "done") return this.records.finish(pending, outcome.outputs);
    pending.attempts += 1;
    this.records.end(pending, outcome.reason);
  }

  /** Has a parked record called as soon as may be. Answers whether there is one that waits. */
  retryNow(offset: number, now: number): boolean {
    const pending = this.records.parkedAt(offset);
    if (pending === undefined) return false;
    pending.notBefore = this.records.notBefore(now);
    this.records.park(pending);
    this.records.lanes.reconsider(pending, now);
    this.circuit.probeNow(now);
    return true;
  }

  /**
   * Ends a parked record that waits, as a dead letter. Answers whether there is one; none is skipped
   * while a call of it may still run. @param record of it
   */
  skip(offset: number, record: LogRecord, reason: string, now: number): boolean {
    const pending = this.records.parkedAt(offset);
    if (pending === undefined || this.records.notBefore(now) > now) return false;
    pending.record = record;
    this.records.end(pending, reason);
    this.records.lanes.reconsider(pending, now);
    return true;
  }

  /** Takes a dead letter's record back, to be called once more from its first attempt on. */
  takeBack(record: LogRecord, redriven: number, now: number): boolean {
    return this.records.takeBack(record, redriven, now);
  }

  /** When something is to be done next, in milliseconds since the epoch; null where only a call or a record brings it. */
  nextDue(now: number): number | null {
    if (this.disabledFor !== undefined || this.calls.size >= this.settings.concurrency) return null;
    if (this.lastAttempt.isWaiting && this.calls.size > 0) return null;
    const { open } = this.circuit;
    const due = this.records.lanes.nextDue(this.limits, now);
    if (open === undefined || due === null) return due;
    // A probe needs a record that may be called.
    return this.calls.size > 0 ? null : Math.max(due, open.probeAt);
  }

  /** Whether rows have to come, change or go, or an output be sent: which waits for nothing. */
  get hasRowChanges(): boolean {
    return this.records.hasChanges;
  }

  /** Whether anything is to be stored. */
  get hasChanges(): boolean {
    return this.isChanged || this.hasRowChanges;
  }

  /**
   * Takes what is to be stored; null where nothing changed. A function that the group's position has
   * left behind is changed as well: stored, it would have moved along.
   * @param head the group's position, stored in the same transaction
   */
  takeChanges(head: number): { readonly ledger: Ledger; readonly changes: Changes } | null {
    const isLeftBehind = this.isStoredAtHead && this.position !== head;
    // Over what it does not select a position moves without a change that has to be stored.
    const isFarOn = !this.isStoredAtHead && this.position - this.storedPosition >= longestUnstored;
    const hasCaughtUp = !this.isStoredAtHead && this.position === head && this.storedPosition !== head;
    if (!this.hasChanges && !isLeftBehind && !isFarOn && !hasCaughtUp) return null;
    this.isChanged = false;
    const { open } = this.circuit;
    const ledger = {
      ...this.records.toLedger(head),
      calls: this.calls.toLedger(),
      ...(open === undefined ? {} : { circuit: open }),
      ...(this.disabledFor === undefined ? {} : { disabled: this.disabledFor }),
      ...(this.failingFor === undefined ? {} : { failing: this.failingFor }),
    };
    this.isStoredAtHead = ledger.position === null;
    this.storedPosition = this.position;
    return { ledger, changes: this.records.takeChanges() };
  }
}

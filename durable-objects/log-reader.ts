import { Arrivals } from "./arrivals.ts";
import type { PartitionDependencies } from "./dependencies.ts";
import { logStart } from "./log-start.ts";
import { LogWait } from "./log-wait.ts";
import type { FetchAnswer, LogRecord } from "../src/kafka/port.ts";

/** Records applied in one transaction at most. */
const maximumRun = 1_000;
/** Records that may wait for their turn in memory, and the characters of their values. */
const maximumArrivals = 20_000;
const maximumArrivedCharacters = 16_000_000;
/**
 * A commit costs the same for one record as for many, so a short run waits a moment for company:
 * shortly when little is going on, longer while records come in numbers, when the time until a
 * record is applied is the queue's anyway.
 */
const quietCompany = { records: 64, milliseconds: 2 };
const busyCompany = { records: 512, milliseconds: 10 };
/** The last run had so many records, and was taken so short a time ago: records come in numbers. */
const busyRun = 32;
const busyForMs = 50;
/** How long a gap may fill by itself before the log is asked. */
const gapMs = 5;
/**
 * How long a record that the log has acknowledged is waited for, a look a pause: another producer's
 * open transaction in front of it ends in a moment, as a rule, or the next look is left to a retry.
 */
const heldPausesMs = [10, 20, 40, 80, 160, 320];
const fetchTimeoutMs = 10_000;

export interface LogReaderHost {
  /** Full topic name. */
  readonly topic: string;
  /** Next offset to take. */
  position(): number;
  /** Whether records may be taken now; when not, the host kicks the reader once they may. */
  isReady(): Promise<boolean> | boolean;
  /** Throws where the log's answer is about another topic than was read before. */
  recognize(topicId: string | undefined): void;
  /** Takes a run in offset order and moves the position behind it. */
  take(run: readonly LogRecord[]): Promise<void> | void;
  /** Moves the position to `next`: the log says that what lies before holds no record for a reader. */
  skipTo(next: number): void;
  /** Moves the position to `start`: the log has deleted what lies before. */
  lose(start: number): void;
  /** The log could not be read or a run not be taken; nothing moves until the next kick. */
  onFailure(error: unknown): void;
  /** Everything that is known of was taken. */
  onSuccess(): void;
}

/** A fetch under way or answered, and what was asked and handed in when it left. */
interface Fetched {
  readonly offset: number;
  readonly asks: number;
  readonly offers: number;
  readonly answer: Promise<FetchAnswer>;
}

/**
 * Brings one topic partition's records to its host in offset order, each once. Pushed records are
 * an optimisation: the contiguous run that starts at the position is taken and nothing else; what
 * is missing is fetched at the position, one fetch in flight; and what a fetch answers is the
 * truth about gaps, so that a missing offset neither stalls the partition nor lets a later record
 * overtake an earlier one. The position moves over offsets without a record only on a fetch's word.
 */
export class LogReader {
  private readonly dependencies: PartitionDependencies;
  private readonly host: LogReaderHost;
  private readonly arrivals = new Arrivals(maximumArrivals, maximumArrivedCharacters);
  private running: Promise<void> | undefined;
  private toTheEnd = false;
  private isWoken = false;
  private lastRun = { records: 0, takenAt: 0 };
  private awaited: { readonly records: number; readonly enough: AbortController } | undefined;
  private ahead: Fetched | undefined;
  /** Where the log ended before a record that it acknowledged, and how often it was looked at. */
  private held = { position: -1, looks: 0 };
  /** How often the end was asked for and records were handed in: a fetch knows only of those before it. */
  private asks = 0;
  private offers = 0;

  constructor(dependencies: PartitionDependencies, host: LogReaderHost) {
    this.dependencies = dependencies;
    this.host = host;
  }

  /**
   * Hands in acknowledged records, in any order and any number of times. Answers whether there was
   * room for all; where not, the log is asked for them when their turn comes.
   */
  offer(records: readonly LogRecord[]): boolean {
    const position = this.host.position();
    let hasRoom = true;
    for (const record of records) if (!this.arrivals.offer(record, position)) hasRoom = false;
    this.offers += 1;
    if (!hasRoom) this.askForEnd();
    if (this.awaited !== undefined && this.arrivals.size >= this.awaited.records) this.awaited.enough.abort();
    this.kick();
    return hasRoom;
  }

  private askForEnd(): void {
    this.toTheEnd = true;
    this.asks += 1;
  }

  /** Reads the log until its end, or until a failure, which the host has been told of. */
  async catchUp(): Promise<void> {
    this.askForEnd();
    this.kick();
    await this.rest();
  }

  /** Resolves when there is nothing left to do for now. */
  async rest(): Promise<void> {
    while (this.running !== undefined) await this.running;
  }

  /** Starts working; while it works already, makes it look once more before it stops. */
  kick(): void {
    this.isWoken = true;
    this.running ??= this.run().finally(() => {
      this.running = undefined;
      // Something may have come between the last look and this moment.
      if (this.isWoken) this.kick();
    });
  }

  get isWorking(): boolean {
    return this.running !== undefined;
  }

  /** Whether something is known to be missing still. */
  get isBehind(): boolean {
    return this.toTheEnd || this.arrivals.size > 0;
  }

  private async run(): Promise<void> {
    try {
      do {
        this.isWoken = false;
        if (!(await this.host.isReady())) return;
      } while (await this.step());
      this.host.onSuccess();
    } catch (error) {
      this.isWoken = false;
      this.ahead = undefined;
      this.toTheEnd = true;
      this.host.onFailure(error);
    }
  }

  /** One run or one fetch; false when there is nothing left to do. */
  private async step(): Promise<boolean> {
    const position = this.host.position();
    if (this.arrivals.has(position)) {
      await this.waitForCompany();
      if (this.host.position() !== position) return true;
      const run = this.arrivals.takeRun(position, maximumRun);
      this.lastRun = { records: run.length, takenAt: this.dependencies.clock.now() };
      await this.host.take(run);
      return true;
    }
    if (!this.toTheEnd && !this.arrivals.hasBehind(position)) return false;
    const pause = this.pauseAt(position);
    if (pause > 0) await this.dependencies.clock.sleep(pause);
    return this.arrivals.has(position) || this.readOn(position);
  }

  /** How long what is missing at the position may come by itself before the log is asked. */
  private pauseAt(position: number): number {
    const { looks } = this.held;
    if (this.held.position === position) return heldPausesMs[Math.min(looks, heldPausesMs.length) - 1] ?? 0;
    return this.toTheEnd ? 0 : gapMs;
  }

  private async waitForCompany(): Promise<void> {
    const { clock } = this.dependencies;
    const isBusy = this.lastRun.records >= busyRun && clock.now() - this.lastRun.takenAt < busyForMs;
    const company = isBusy ? busyCompany : quietCompany;
    if (this.arrivals.size >= company.records) return;
    const enough = new AbortController();
    this.awaited = { records: company.records, enough };
    await clock.sleep(company.milliseconds, enough.signal);
    this.awaited = undefined;
  }

  /** Reads a stretch from the log at the position, takes all of it, and moves on over what it has none of. */
  private async readOn(asked: number): Promise<boolean> {
    const fetched = this.fetchAt(asked);
    const answer = await fetched.answer;
    this.host.recognize(answer.topicId);
    const start = await logStart(this.dependencies, this.host.topic, answer, asked);
    // Moved meanwhile by an operator: what was read for one place says nothing of another.
    if (this.host.position() !== asked) return true;
    if (start > asked) this.host.lose(start);
    const position = Math.max(asked, start);
    // A log may answer the whole batch that the position lies in.
    const records = answer.records.filter(({ offset }) => offset >= position);
    const next = Math.max(position, (records.at(-1)?.offset ?? -1) + 1, answer.next ?? 0);
    if (next === asked) return this.meetEnd(asked, fetched, answer.next !== undefined);
    // The next stretch is on its way while this one is taken; still one fetch in flight.
    if (this.toTheEnd) this.ahead = this.fetchFrom(next);
    let reached = this.host.position();
    for (let first = 0; first < records.length; first += maximumRun) {
      if (first > 0 && !(await this.host.isReady())) {
        this.toTheEnd = true;
        return true;
      }
      if (this.host.position() !== reached) return true;
      const run = records.slice(first, first + maximumRun);
      reached = (run.at(-1)?.offset ?? reached) + 1;
      await this.host.take(run);
    }
    if (this.host.position() === reached && next > reached) this.host.skipTo(next);
    this.arrivals.dropBefore(this.host.position());
    return true;
  }

  /** The log had nothing at the position when it was asked; whether to look again. */
  private meetEnd(position: number, { asks, offers }: Fetched, isTold: boolean): boolean {
    if (asks !== this.asks) return true;
    this.toTheEnd = false;
    if (!this.arrivals.hasBehind(position)) return false;
    if (isTold) return this.wait(position);
    if (offers !== this.offers) return true;
    throw new Error(`the log ends at ${position}, yet later records were acknowledged`);
  }

  /**
   * The log ends for a reader before a record that it has acknowledged. That record comes: another
   * producer's transaction is open in front of it, or a new leader does not know yet that it is safe.
   */
  private wait(position: number): boolean {
    const looks = this.held.position === position ? this.held.looks + 1 : 1;
    this.held = { position, looks };
    if (looks <= heldPausesMs.length) return true;
    throw new LogWait(
      `the log ends at ${position} for readers, before records that it has acknowledged: ` +
        `another producer's transaction is open, or its leader has yet to catch up`,
    );
  }

  private fetchAt(position: number): Fetched {
    const { ahead } = this;
    this.ahead = undefined;
    return ahead?.offset === position ? ahead : this.fetchFrom(position);
  }

  private fetchFrom(offset: number): Fetched {
    const { clock, log, partition } = this.dependencies;
    const { asks, offers } = this;
    const answer = log.fetch({ topic: this.host.topic, partition, offset }, clock.now() + fetchTimeoutMs);
    // A stretch that was fetched ahead may never be asked for; its failure is told when it is.
    answer.catch(() => undefined);
    return { offset, asks, offers, answer };
  }
}

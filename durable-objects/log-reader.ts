import { Arrivals } from "./arrivals.ts";
import type { PartitionDependencies } from "./dependencies.ts";
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
const fetchTimeoutMs = 10_000;

export interface LogReaderHost {
  /** Full topic name. */
  readonly topic: string;
  /** Next offset to take. */
  position(): number;
  /** Whether records may be taken now; when not, the host kicks the reader once they may. */
  isReady(): Promise<boolean> | boolean;
  /**
   * Takes a run in offset order and moves the position behind it. `gapBefore` tells that the log
   * has nothing between the position and the run's first record.
   */
  take(run: readonly LogRecord[]): Promise<void> | void;
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
 * overtake an earlier one.
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
      const run = this.arrivals.takeRun(position, maximumRun);
      this.lastRun = { records: run.length, takenAt: this.dependencies.clock.now() };
      await this.host.take(run);
      return true;
    }
    if (this.toTheEnd) return this.readOn(position);
    if (!this.arrivals.hasBehind(position)) return false;
    await this.dependencies.clock.sleep(gapMs);
    return this.arrivals.has(position) || this.readOn(position);
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

  /** Reads a stretch from the log at the position and takes all of it. */
  private async readOn(position: number): Promise<boolean> {
    const fetched = this.fetchAt(position);
    // A log may answer the whole batch that the position lies in.
    const records = (await fetched.answer).records.filter(({ offset }) => offset >= position);
    const last = records.at(-1);
    if (last === undefined) return this.meetEnd(position, fetched);
    // The next stretch is on its way while this one is taken; still one fetch in flight.
    if (this.toTheEnd) this.ahead = this.fetchFrom(last.offset + 1);
    for (let start = 0; start < records.length; start += maximumRun) {
      if (start > 0 && !(await this.host.isReady())) {
        this.toTheEnd = true;
        return true;
      }
      await this.host.take(records.slice(start, start + maximumRun));
    }
    this.arrivals.dropBefore(this.host.position());
    return true;
  }

  /** The log had nothing at the position when it was asked; whether to look again. */
  private meetEnd(position: number, { asks, offers }: Fetched): boolean {
    if (asks !== this.asks) return true;
    this.toTheEnd = false;
    if (!this.arrivals.hasBehind(position)) return false;
    if (offers !== this.offers) return true;
    throw new Error(`the log ends at ${position}, yet later records were acknowledged`);
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

import { type AppendRecord, type AppendResult, LogFailure } from "../log.ts";
import { LoneSurrogateError } from "./json-text.ts";
import { type EncodedRecord, encodeRecord } from "./record-encoder.ts";

/** What one call appends to one partition: sent in order, in one batch or over several. */
export class Piece {
  readonly records: readonly EncodedRecord[];
  readonly bytes: number;
  /** Milliseconds since the epoch; then its caller is answered whatever became of it. */
  readonly deadline: number;
  /** How many of the records are in a batch already. */
  taken = 0;
  readonly #results: AppendResult[] = [];
  readonly #finish: (results: readonly AppendResult[]) => void;

  constructor(
    records: readonly EncodedRecord[],
    deadline: number,
    finish: (results: readonly AppendResult[]) => void,
  ) {
    this.records = records;
    this.bytes = records.reduce((sum, { content }) => sum + content.length, 0);
    this.deadline = deadline;
    this.#finish = finish;
  }

  get isTaken(): boolean {
    return this.taken === this.records.length;
  }

  /** The next `count` records are in the log, from `offset` on. `appendTime` is a topic's own clock. */
  succeed(count: number, offset: number, topicId: string, appendTime: number | null): void {
    for (let index = 0; index < count; index++) {
      const { timestamp } = this.records[this.#results.length] as EncodedRecord;
      this.#results.push({ offset: offset + index, timestamp: appendTime ?? timestamp, topicId });
    }
    if (this.#results.length === this.records.length) this.#finish(this.#results);
  }

  /** The next `count` records failed; those behind them are not sent, so that the order holds. */
  fail(count: number, failure: LogFailure): void {
    const until = this.#results.length + count;
    while (this.#results.length < this.records.length) {
      this.#results.push({ failure: this.#results.length < until ? failure : precededByFailure() });
    }
    this.taken = this.records.length;
    this.#finish(this.#results);
  }
}

/** The record itself is good: it may be sent again. */
function precededByFailure(): LogFailure {
  return new LogFailure("unavailable", "none", "not written: a record before it in its partition failed");
}

/** A call's records of one partition, and where each stands in the call. */
interface Share {
  readonly topic: string;
  readonly partition: number;
  readonly indexes: number[];
  readonly records: EncodedRecord[];
}

/**
 * One call of append, taken apart by partition and put together again when all of it is decided. What
 * cannot be encoded fails alone, and what stands behind it in its partition with it.
 */
export class AppendCall {
  readonly shares: readonly Share[];
  readonly results: Promise<readonly AppendResult[]>;
  readonly #results: AppendResult[];
  readonly #resolve: (results: readonly AppendResult[]) => void;
  #undecided: number;

  constructor(records: readonly AppendRecord[]) {
    const { promise, resolve } = Promise.withResolvers<readonly AppendResult[]>();
    this.results = promise;
    this.#resolve = resolve;
    this.#results = Array.from({ length: records.length });
    this.shares = this.#takeApart(records);
    this.#undecided = this.shares.length;
    if (this.#undecided === 0) resolve(this.#results);
  }

  /** A share is decided. */
  settle({ indexes }: Share, results: readonly AppendResult[]): void {
    for (const [place, index] of indexes.entries()) this.#results[index] = results[place] as AppendResult;
    this.#undecided -= 1;
    if (this.#undecided === 0) this.#resolve(this.#results);
  }

  #takeApart(records: readonly AppendRecord[]): Share[] {
    const shares = new Map<string, Share>();
    const broken = new Set<string>();
    for (const [index, record] of records.entries()) {
      const { topic, partition } = record;
      const address = `${topic}/${partition}`;
      const encoded = broken.has(address) ? precededByFailure() : encode(record);
      if (encoded instanceof LogFailure) {
        broken.add(address);
        this.#results[index] = { failure: encoded };
        continue;
      }
      const share = shares.get(address);
      if (share === undefined)
        shares.set(address, { topic, partition, indexes: [index], records: [encoded] });
      else {
        share.indexes.push(index);
        share.records.push(encoded);
      }
    }
    return [...shares.values()];
  }
}

function encode(record: AppendRecord): EncodedRecord | LogFailure {
  try {
    return encodeRecord(record);
  } catch (error) {
    if (!(error instanceof LoneSurrogateError)) throw error;
    return new LogFailure("refused", "none", "a text with half of a surrogate pair is no UTF-8");
  }
}

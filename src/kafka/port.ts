/**
 * The log as Gavel sees it: four operations, whatever stands behind them.
 *
 * A dialect (Upstash REST first) implements this port; nothing else in Gavel knows a wire format.
 * Every call carries an absolute deadline in milliseconds since the epoch, so that retries,
 * time-outs and the closing grace share one clock.
 */
export interface RecordHeader {
  readonly key: string;
  readonly value: string;
}

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

export interface TopicPartitionOffset extends TopicPartition {
  readonly offset: number;
}

/** A record to append. `timestamp` is milliseconds since the epoch; the partition is explicit. */
export interface ProduceRecord extends TopicPartition {
  readonly key: string;
  readonly value: string;
  readonly timestamp: number;
  readonly headers: readonly RecordHeader[];
}

/** A record as the log holds it. `timestamp` is the log's, which is what a later reader sees. */
export interface LogRecord extends TopicPartitionOffset {
  readonly timestamp: number;
  /** `""` where the record has no key: Upstash's protocol does not tell the two apart. */
  readonly key: string;
  readonly value: string;
  readonly headers: readonly RecordHeader[];
}

/**
 * Which topic an answer is about, where the server tells: a topic that is deleted and made again
 * under its name has another id (KIP-516), so that a position in the old one means nothing in it.
 */
interface OfTopic {
  readonly topicId?: string;
}

/** What the log said of one produced record: where it is, or why it is not there. */
export type ProduceResult =
  | ({ readonly ok: true; readonly offset: number; readonly timestamp: number } & OfTopic)
  | { readonly ok: false; readonly error: LogError };

/** An offset that the log told. */
export interface LogOffset extends TopicPartitionOffset, OfTopic {}

/** What one fetch found. `next` and `start` are there where the server tells them. */
export interface FetchAnswer extends OfTopic {
  /** A bounded run in offset order, whose first offset may be above the one asked for. */
  readonly records: readonly LogRecord[];
  /**
   * Where to read on: behind the last record, and behind offsets that hold none for a reader
   * (transaction markers, aborted transactions, what compaction removed).
   */
  readonly next?: number;
  /** The first offset that the log still has. */
  readonly start?: number;
}

export interface KafkaLog {
  /**
   * Appends with acks=all. Answers one result per record, in request order; records of one
   * partition are contiguous and keep their order, and what fails of a partition is a suffix.
   * @throws {LogError} when the call as a whole failed; `effect` says whether records may be in.
   */
  produce(records: readonly ProduceRecord[], deadline: number): Promise<readonly ProduceResult[]>;
  /**
   * Reads committed records from an offset, about 1 MiB of them, without waiting for new ones;
   * none at the log's end. From an offset that the log no longer has, it reads from its start.
   * @throws {LogError}
   */
  fetch(from: TopicPartitionOffset, deadline: number): Promise<FetchAnswer>;
  /**
   * Of each partition asked for the earliest or the end offset (of what may be read), or the first
   * whose timestamp is at or after a time in milliseconds since the epoch, the end where there is none.
   * @throws {LogError}
   */
  offsets(
    at: "earliest" | "latest" | number,
    partitions: readonly TopicPartition[],
    deadline: number,
  ): Promise<readonly LogOffset[]>;
  /** Topic → partition count. @throws {LogError} */
  topics(deadline: number): Promise<Readonly<Record<string, number>>>;
}

/**
 * - `unavailable`: the log is away or overloaded; retry later.
 * - `timeout`: the deadline passed.
 * - `rejected`: the log refuses this request; a retry will not help.
 * - `unauthorized`: the credentials are wrong; an operator has to act.
 * - `unknown-topic`: topic or partition does not exist.
 * - `too-large`: a record or a request is above the log's limit.
 */
export type LogErrorCode =
  | "unavailable"
  | "timeout"
  | "rejected"
  | "unauthorized"
  | "unknown-topic"
  | "too-large";

/** A failure of the log. `effect` is `none` only where the log certainly appended nothing. */
export class LogError extends Error {
  override readonly name = "LogError";
  readonly code: LogErrorCode;
  readonly effect: "none" | "unknown";

  constructor(code: LogErrorCode, effect: "none" | "unknown", message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.effect = effect;
  }

  /** Whether the same call may succeed later. */
  get retryable(): boolean {
    return this.code === "unavailable" || this.code === "timeout";
  }
}

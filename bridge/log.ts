/**
 * The log as the bridge sees it: four operations, whatever stores the records.
 *
 * What answers a read is already serialised (see {@link EncodedRecords}): a record is written as
 * JSON once, when it is appended, and every later fetch copies bytes.
 */
import type { ConsumerGroups } from "./groups.ts";

/**
 * A JSON value as it stands in a request's body. What is stored and answered is the client's own
 * bytes, so nothing is decoded or escaped again. A slice holds no raw newline: in a string JSON
 * escapes it, and headers have no white space between their tokens.
 */
export interface JsonSlice {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

/** A record to append. `timestamp` is milliseconds since the epoch. */
export interface AppendRecord {
  readonly topic: string;
  readonly partition: number;
  readonly timestamp: number;
  /** A JSON string; null where the record has no key. */
  readonly key: JsonSlice | null;
  /** A JSON string. */
  readonly value: JsonSlice;
  /** A JSON array of `{"key","value"}`. */
  readonly headers: JsonSlice;
}

/** No headers. */
export const EMPTY_HEADERS: JsonSlice = jsonSlice([]);

/** The slice of a value that is not in a body. */
export function jsonSlice(value: string | readonly unknown[]): JsonSlice {
  const bytes = Buffer.from(JSON.stringify(value));
  return { bytes, start: 0, end: bytes.length };
}

/** The text of a slice that is a JSON string. */
export function decodeText({ bytes, start, end }: JsonSlice): string {
  return String(JSON.parse(bytes.toString("utf8", start, end)));
}

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

export interface TopicPartitionOffset extends TopicPartition {
  readonly offset: number;
}

/** Where the log put one record, with the timestamp that a reader will see; or why it is not in. */
export type AppendResult =
  | { readonly offset: number; readonly timestamp: number; readonly topicId: string }
  | { readonly failure: LogFailure };

/**
 * An offset, and the id of the topic that it belongs to: a topic that is deleted and made again
 * under its name has another id (KIP-516), by which a reader tells that its positions mean nothing.
 */
export interface IdentifiedOffset extends TopicPartitionOffset {
  readonly topicId: string;
}

/**
 * Records in the form of the answer: each `{…},\n` in UTF-8, without a raw newline inside (JSON
 * escapes it). Between two buffers nothing is missing, so joining them needs no look inside.
 */
export type EncodedRecords = readonly Uint8Array[];

/** Ends one encoded record. The newline makes a record's end a byte search. */
export const RECORD_END = "},\n";

/** What a read found of one of the positions asked for. */
export interface PartitionRead extends TopicPartition {
  readonly topicId: string;
  /**
   * Where to read on: behind the last record answered and behind what holds no record for a reader
   * (transaction markers, aborted transactions, what compaction removed).
   */
  readonly next: number;
  /** The first offset that the log still has. */
  readonly start: number;
  /** The end of what may be read (Kafka's last stable offset). */
  readonly end: number;
}

export interface ReadResult {
  readonly records: EncodedRecords;
  /** How many records these are. */
  readonly count: number;
  /** One for each position, in the order asked for. */
  readonly partitions: readonly PartitionRead[];
}

export interface ReadRequest {
  readonly positions: readonly TopicPartitionOffset[];
  /** Bound of the answer in bytes; the first record always comes, however large it is. */
  readonly maxBytes: number;
  /** How long to wait for a first record, in milliseconds; 0 answers at once. */
  readonly timeoutMs: number;
  /** Ends the wait early, with an empty answer: the caller is gone or the bridge stops. */
  readonly signal?: AbortSignal;
}

/** What `offsets` looks for: an end of the partition, or a time in milliseconds since the epoch. */
export type OffsetsAt = "earliest" | "latest" | number;

export interface EventLog {
  /** Consumer groups over this log; it closes them with itself. */
  readonly groups: ConsumerGroups;
  /**
   * Appends records durably: when the promise resolves, what it reports as in survives a crash.
   * One result per record, in order. Records of one partition keep their order and are
   * contiguous; what fails of one partition is a suffix.
   * @throws {LogFailure} when the whole call failed.
   */
  append(records: readonly AppendRecord[]): Promise<readonly AppendResult[]>;
  /**
   * Reads committed records from each position in offset order, bounded over all of them. Waits
   * only while none has a record. An offset at or past the end is not an error: the record may
   * still come. An offset before the log's start is read from the start, which `start` tells.
   * @throws {LogFailure} `unknown-partition` when one position does not exist.
   */
  read(request: ReadRequest): Promise<ReadResult>;
  /**
   * The first offset of each partition, its end (last + 1), or the first offset whose record's
   * timestamp is at or after a time; the end where no record is.
   * @throws {LogFailure} `unknown-partition` when one does not exist.
   */
  offsets(at: OffsetsAt, partitions: readonly TopicPartition[]): Promise<readonly IdentifiedOffset[]>;
  /** Topic → partition count. Where one of `names` seems to be missing, the log looks again. */
  topics(names?: Iterable<string>): Promise<ReadonlyMap<string, number>>;
  /**
   * What is wrong now, in plain sentences for the operator, without secrets; empty while the log
   * can be used and its topics are as required. Answers from memory, so it may be asked often.
   */
  problems(): readonly string[];
  /** Ends what is under way and lets go of files and sockets. */
  close(): Promise<void>;
}

/**
 * - `unknown-partition`: the topic does not exist, or has no such partition.
 * - `too-large`: the record or the call is above the log's limit.
 * - `refused`: the log will never take this request.
 * - `forbidden`: the log refuses the bridge's own identity.
 * - `unavailable`: the log cannot be written or read now; the same call may succeed later.
 * - `timeout`: the log did not answer in time.
 */
export type LogFailureCode =
  | "unknown-partition"
  | "too-large"
  | "refused"
  | "forbidden"
  | "unavailable"
  | "timeout";

/** Whether a failed append may be in the log all the same. */
export type Effect = "none" | "unknown";

export class LogFailure extends Error {
  override readonly name = "LogFailure";
  readonly code: LogFailureCode;
  readonly effect: Effect;

  constructor(code: LogFailureCode, effect: Effect, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.effect = effect;
  }
}

/** Says that a partition does not exist, the same way everywhere. */
export function unknownPartition({ topic, partition }: TopicPartition): LogFailure {
  return new LogFailure("unknown-partition", "none", `unknown topic or partition: ${topic}/${partition}`);
}

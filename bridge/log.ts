/**
 * The log as the bridge sees it: four operations, whatever stores the records.
 *
 * What answers a read is already serialised (see {@link EncodedRecords}): a record is written as
 * JSON once, when it is appended, and every later fetch copies bytes.
 */
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
  | { readonly offset: number; readonly timestamp: number }
  | { readonly failure: LogFailure };

/**
 * Records in the form of the answer: each `{…},\n` in UTF-8, without a raw newline inside (JSON
 * escapes it). Between two buffers nothing is missing, so joining them needs no look inside.
 */
export type EncodedRecords = readonly Uint8Array[];

/** Ends one encoded record. The newline makes a record's end a byte search. */
export const RECORD_END = "},\n";

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
  /**
   * Appends records durably: when the promise resolves, what it reports as in survives a crash.
   * One result per record, in order. Records of one partition keep their order and are
   * contiguous; what fails of one partition is a suffix.
   * @throws {LogFailure} when the whole call failed.
   */
  append(records: readonly AppendRecord[]): Promise<readonly AppendResult[]>;
  /**
   * Reads from each position in offset order, bounded over all of them. Waits only while none has
   * a record. An offset at or past the end is not an error: the record may still come.
   * @throws {LogFailure} `unknown-partition` when one position does not exist.
   */
  read(request: ReadRequest): Promise<EncodedRecords>;
  /**
   * The first offset of each partition, its end (last + 1), or the first offset whose record's
   * timestamp is at or after a time; the end where no record is.
   * @throws {LogFailure} `unknown-partition` when one does not exist.
   */
  offsets(at: OffsetsAt, partitions: readonly TopicPartition[]): Promise<readonly TopicPartitionOffset[]>;
  /** Topic → partition count. */
  topics(): Promise<ReadonlyMap<string, number>>;
  /** Ends what is under way and lets go of files and sockets. */
  close(): Promise<void>;
}

/**
 * - `unknown-partition`: the topic does not exist, or has no such partition.
 * - `too-large`: the record or the call is above the log's limit.
 * - `unavailable`: the log cannot be written or read now; a write may have taken effect.
 */
export type LogFailureCode = "unknown-partition" | "too-large" | "unavailable";

export class LogFailure extends Error {
  override readonly name = "LogFailure";
  readonly code: LogFailureCode;

  constructor(code: LogFailureCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** Says that a partition does not exist, the same way everywhere. */
export function unknownPartition({ topic, partition }: TopicPartition): LogFailure {
  return new LogFailure("unknown-partition", `unknown topic or partition: ${topic}/${partition}`);
}

/** What requests may ask for, each and all together. Beyond it the answer is 413 or 503. */
export interface Limits {
  /**
   * Bytes of a request's body. A batch of 1 MiB at the gateway's edge grows when each event is
   * enriched and escaped once more as a JSON string: about threefold at worst.
   */
  readonly maxBodyBytes: number;
  /** Bytes (UTF-8) of one record: key, value and headers. */
  readonly maxRecordBytes: number;
  /** Records of one produce, and partitions of one fetch or offsets call. */
  readonly maxBatch: number;
  /** Bytes of a fetch's answer; the first record always comes, however large it is. */
  readonly maxAnswerBytes: number;
  /** The longest that a fetch waits; a longer timeout counts as this. Milliseconds. */
  readonly maxWaitMs: number;
  /**
   * Bytes of bodies and answers in work at once, over all requests: from the first byte that
   * arrives until the client has taken the answer. Beyond it the answer is 503.
   */
  readonly maxPendingBytes: number;
  /** How long a client may take to take its answer before it is cut off. Milliseconds. */
  readonly maxTakeMs: number;
  /** Open connections; further ones are closed at once. */
  readonly maxConnections: number;
}

export const defaultLimits: Limits = {
  maxBodyBytes: 8 * 1024 * 1024,
  maxRecordBytes: 1024 * 1024,
  maxBatch: 10_000,
  maxAnswerBytes: 1024 * 1024,
  maxWaitMs: 30_000,
  maxPendingBytes: 128 * 1024 * 1024,
  maxTakeMs: 30_000,
  maxConnections: 4_096,
};

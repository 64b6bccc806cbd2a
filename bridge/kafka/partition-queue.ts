import type { CompressionAlgorithmValue } from "@platformatic/kafka";
import type { LogFailure } from "../log.ts";
import type { Piece } from "./append-call.ts";
import { BATCH_HEAD_BYTES, encodeBatch, RECORD_FRAME_BYTES } from "./record-batch.ts";
import type { EncodedRecord } from "./record-encoder.ts";

/** Who writes to the partition. A partition whose last batch is in doubt gets another identity. */
export interface ProducerIdentity {
  readonly id: bigint;
  readonly epoch: number;
}

interface Segment {
  readonly piece: Piece;
  readonly count: number;
}

/** Sequences are 32 bits wide and begin again at 0. Source: KIP-98. */
const SEQUENCES = 2 ** 31;

/** Records of several calls on their way into one partition under one sequence. */
export class Batch {
  readonly bytes: Buffer;
  readonly count: number;
  readonly deadline: number;
  /** Milliseconds since the epoch. */
  readonly maxTimestamp: number;
  /** An attempt may have appended it: only the same sequence of the same producer is safe to send. */
  isInDoubt = false;
  attempts = 0;
  readonly #segments: readonly Segment[];

  constructor(
    segments: readonly Segment[],
    records: readonly EncodedRecord[],
    compression: CompressionAlgorithmValue,
  ) {
    this.#segments = segments;
    this.count = records.length;
    this.bytes = encodeBatch(records, compression);
    this.maxTimestamp = records.reduce((highest, { timestamp }) => Math.max(highest, timestamp), 0);
    this.deadline = Math.min(...segments.map(({ piece }) => piece.deadline));
  }

  succeed(baseOffset: number, topicId: string, appendTime: number | null): void {
    let offset = baseOffset;
    for (const { piece, count } of this.#segments) {
      piece.succeed(count, offset, topicId, appendTime);
      offset += count;
    }
  }

  fail(failure: LogFailure): void {
    for (const { piece, count } of this.#segments) piece.fail(count, failure);
  }

  /** Takes the batch apart: its pieces are as they were before, in order. */
  undo(): Piece[] {
    for (const { piece, count } of this.#segments) piece.taken -= count;
    return this.#segments.map(({ piece }) => piece);
  }
}

/**
 * What waits for one partition, in order, and the one batch of it that is under way: with one at a
 * time, a batch that fails has none behind it that could be in the log before it is sent again.
 */
export class PartitionQueue {
  readonly topic: string;
  readonly partition: number;
  batch: Batch | undefined;
  isSending = false;
  /** The batch failed a moment ago and is sent again in a moment. */
  isResting = false;
  identity: ProducerIdentity | undefined;
  sequence = 0;
  /** The topic as it was last seen, and the last offset acknowledged there. */
  topicId = "";
  lastOffset = -1;
  /** Halved when the broker refused a batch that may go in parts, until one goes through. */
  mostRecords = Number.POSITIVE_INFINITY;
  #waiting: Piece[] = [];

  constructor(topic: string, partition: number) {
    this.topic = topic;
    this.partition = partition;
  }

  get isEmpty(): boolean {
    return this.batch === undefined && this.#waiting.length === 0;
  }

  /** Sequences belong to a log: another topic of the same name has never seen this producer. */
  belongTo(topicId: string): void {
    if (this.topicId !== "" && this.topicId !== topicId) {
      this.retireIdentity();
      this.lastOffset = -1;
    }
    this.topicId = topicId;
  }

  add(piece: Piece): void {
    this.#waiting.push(piece);
  }

  /** Puts the next batch together, at most `maxBytes` of it unless one record alone is larger. */
  fill(maxBytes: number, compression: CompressionAlgorithmValue): void {
    const segments: Segment[] = [];
    const records: EncodedRecord[] = [];
    let bytes = BATCH_HEAD_BYTES;
    while (this.#waiting.length > 0) {
      const piece = this.#waiting[0] as Piece;
      const from = piece.taken;
      while (!piece.isTaken && records.length < this.mostRecords) {
        const record = piece.records[piece.taken] as EncodedRecord;
        const size = record.content.length + RECORD_FRAME_BYTES;
        if (records.length > 0 && bytes + size > maxBytes) break;
        records.push(record);
        bytes += size;
        piece.taken += 1;
      }
      if (piece.taken > from) segments.push({ piece, count: piece.taken - from });
      if (!piece.isTaken) break;
      this.#waiting.shift();
    }
    if (records.length > 0) this.batch = new Batch(segments, records, compression);
  }

  /** The batch is decided as good. */
  succeed(baseOffset: number, topicId: string, appendTime: number | null): void {
    const { batch } = this;
    if (batch === undefined) return;
    this.sequence = (this.sequence + batch.count) % SEQUENCES;
    this.topicId = topicId;
    this.lastOffset = baseOffset + batch.count - 1;
    this.mostRecords = Number.POSITIVE_INFINITY;
    this.batch = undefined;
    batch.succeed(baseOffset, topicId, appendTime);
  }

  /** The batch is decided as failed. One that is in doubt leaves its producer behind. */
  fail(failure: LogFailure): void {
    const { batch } = this;
    if (batch === undefined) return;
    if (failure.effect === "unknown") this.retireIdentity();
    this.batch = undefined;
    batch.fail(failure);
    this.#waiting = this.#waiting.filter((piece) => !piece.isTaken);
  }

  /** The broker refused the batch for its size or for one of its records: it goes in two. False for a single record. */
  halve(): boolean {
    const { batch } = this;
    if (batch === undefined || batch.count === 1) return false;
    this.mostRecords = Math.ceil(batch.count / 2);
    const pieces = batch.undo();
    this.#waiting = [...pieces, ...this.#waiting.filter((piece) => !pieces.includes(piece))];
    this.batch = undefined;
    return true;
  }

  retireIdentity(): void {
    this.identity = undefined;
    this.sequence = 0;
  }
}

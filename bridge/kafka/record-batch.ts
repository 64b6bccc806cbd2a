import { type CompressionAlgorithmValue, compressionsAlgorithms, crc32c } from "@platformatic/kafka";
import type { EncodedRecord } from "./record-encoder.ts";
import { varintBytes, writeVarint } from "./varint.ts";

/** Who writes a batch and where it stands among the writer's batches of the partition. */
export interface BatchIdentity {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly firstSequence: number;
}

/** Places of a batch's fields. Source: Kafka's record batch format, v2. */
const LENGTH_AT = 8;
const MAGIC_AT = 16;
const CRC_AT = 17;
const ATTRIBUTES_AT = 21;
const LAST_OFFSET_DELTA_AT = 23;
const FIRST_TIMESTAMP_AT = 27;
const MAX_TIMESTAMP_AT = 35;
const PRODUCER_ID_AT = 43;
const PRODUCER_EPOCH_AT = 51;
const FIRST_SEQUENCE_AT = 53;
const COUNT_AT = 57;
export const BATCH_HEAD_BYTES = 61;
const MAGIC = 2;

/** Bytes of a record's own framing: attributes, and length, timestamp and offset deltas at most. */
export const RECORD_FRAME_BYTES = 1 + 3 * 9;

/** A batch as Kafka stores it, compressed where that is asked for; without a producer's identity. */
export function encodeBatch(
  records: readonly EncodedRecord[],
  compression: CompressionAlgorithmValue,
): Buffer {
  const [first] = records;
  if (first === undefined) throw new TypeError("a batch has at least one record");
  let size = BATCH_HEAD_BYTES;
  let maxTimestamp = first.timestamp;
  for (const { content, timestamp } of records) {
    size += content.length + RECORD_FRAME_BYTES;
    if (timestamp > maxTimestamp) maxTimestamp = timestamp;
  }
  const target = Buffer.allocUnsafe(size);
  const end = writeRecords(target, records, first.timestamp);
  const { bitmask, compressSync } = compressionsAlgorithms[compression];
  const plain = target.subarray(0, end);
  const batch =
    bitmask === 0
      ? plain
      : Buffer.concat([plain.subarray(0, BATCH_HEAD_BYTES), compressSync(plain.subarray(BATCH_HEAD_BYTES))]);
  writeHead(batch, records.length, bitmask, first.timestamp, maxTimestamp);
  return batch;
}

function writeRecords(target: Buffer, records: readonly EncodedRecord[], firstTimestamp: number): number {
  let write = BATCH_HEAD_BYTES;
  for (const [index, { content, timestamp }] of records.entries()) {
    const timestampDelta = timestamp - firstTimestamp;
    const length = 1 + varintBytes(timestampDelta) + varintBytes(index) + content.length;
    write = writeVarint(target, write, length);
    target[write++] = 0;
    write = writeVarint(target, write, timestampDelta);
    write = writeVarint(target, write, index);
    write += content.copy(target, write);
  }
  return write;
}

function writeHead(
  batch: Buffer,
  count: number,
  attributes: number,
  firstTimestamp: number,
  maxTimestamp: number,
): void {
  batch.writeBigInt64BE(0n, 0);
  batch.writeInt32BE(batch.length - LENGTH_AT - 4, LENGTH_AT);
  batch.writeInt32BE(-1, LENGTH_AT + 4);
  batch[MAGIC_AT] = MAGIC;
  batch.writeInt16BE(attributes, ATTRIBUTES_AT);
  batch.writeInt32BE(count - 1, LAST_OFFSET_DELTA_AT);
  batch.writeBigInt64BE(BigInt(firstTimestamp), FIRST_TIMESTAMP_AT);
  batch.writeBigInt64BE(BigInt(maxTimestamp), MAX_TIMESTAMP_AT);
  batch.writeInt32BE(count, COUNT_AT);
}

/** Puts the producer's identity into a batch, and the checksum that covers it. */
export function identify(batch: Buffer, { producerId, producerEpoch, firstSequence }: BatchIdentity): void {
  batch.writeBigInt64BE(producerId, PRODUCER_ID_AT);
  batch.writeInt16BE(producerEpoch, PRODUCER_EPOCH_AT);
  batch.writeInt32BE(firstSequence, FIRST_SEQUENCE_AT);
  batch.writeUInt32BE(crc32c(batch.subarray(ATTRIBUTES_AT)), CRC_AT);
}

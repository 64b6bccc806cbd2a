import type { fetchV17 } from "@platformatic/kafka";

type FetchedPartition = Awaited<
  ReturnType<typeof fetchV17.api.async>
>["responses"][number]["partitions"][number];
type Batch = NonNullable<FetchedPartition["records"]>[number];

export interface CommittedRecord {
  readonly offset: number;
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly (readonly [Buffer | null, Buffer | null])[];
}

/** Bits of a batch's attributes. Source: Kafka's record batch format, v2. */
const LOG_APPEND_TIME = 1 << 3;
const TRANSACTIONAL = 1 << 4;
const CONTROL = 1 << 5;
/** Key of a control record: version, then its type. Zero ends a transaction by an abort. */
const CONTROL_TYPE_AT = 2;
const ABORT = 0;

export interface CommittedRun {
  readonly records: readonly CommittedRecord[];
  /** Behind the last batch, whether it held records for a reader or not. */
  readonly next: number;
}

/**
 * What a reader of committed records sees of a fetch's batches from `offset` on: neither the markers
 * that end transactions nor the records of those that were aborted. The broker answers up to its last
 * stable offset and lists the aborted transactions that begin there; which of a producer's batches
 * belong to one is for the reader to follow. Source: KIP-98, "Consumer changes".
 */
export function committedRecords(partition: FetchedPartition, offset: number): CommittedRun {
  const aborted = [...(partition.abortedTransactions ?? [])].sort((left, right) =>
    left.firstOffset < right.firstOffset ? -1 : 1,
  );
  const aborting = new Set<bigint>();
  const records: CommittedRecord[] = [];
  let next = offset;
  for (const batch of partition.records ?? []) {
    const last = Number(batch.firstOffset) + batch.lastOffsetDelta;
    while (aborted[0] !== undefined && aborted[0].firstOffset <= BigInt(last)) {
      aborting.add(aborted[0].producerId);
      aborted.shift();
    }
    if ((batch.attributes & CONTROL) !== 0) {
      if (isAbort(batch)) aborting.delete(batch.producerId);
    } else if ((batch.attributes & TRANSACTIONAL) === 0 || !aborting.has(batch.producerId)) {
      takeFrom(batch, offset, records);
    }
    next = Math.max(next, last + 1);
  }
  return { records, next };
}

function isAbort({ records: [marker] }: Batch): boolean {
  return marker?.key?.readInt16BE(CONTROL_TYPE_AT) === ABORT;
}

/** A broker answers whole batches: of the first, some records may lie before the offset asked for. */
function takeFrom(batch: Batch, offset: number, records: CommittedRecord[]): void {
  const base = Number(batch.firstOffset);
  const firstTimestamp = Number(batch.firstTimestamp);
  const isAppendTime = (batch.attributes & LOG_APPEND_TIME) !== 0;
  for (const { offsetDelta, timestampDelta, key, value, headers } of batch.records) {
    if (base + offsetDelta < offset) continue;
    const timestamp = isAppendTime ? Number(batch.maxTimestamp) : firstTimestamp + Number(timestampDelta);
    records.push({ offset: base + offsetDelta, timestamp, key, value, headers });
  }
}

import type { LogGap } from "./auction/state.ts";
import type { LogRecord, RecordHeader } from "./kafka/port.ts";

/** A dead letter holds at most this many bytes of the record's value as JSON; the log bounds a record. */
const maximumValueBytes = 600_000;
/** Of its headers, which are left out beyond that, and of its key, which is written three times. */
const maximumHeadersBytes = 50_000;
const maximumKeyCharacters = 1_000;

/** `data` of `gavel.dead-letter.v1`. */
export interface DeadLetterData {
  readonly group: string;
  /** Absent where the group itself could not read it. */
  readonly function?: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly attempts: number;
  readonly error: string;
  readonly record: {
    readonly key: string;
    readonly value: string;
    /** Something of it was too long and is missing here. */
    readonly truncated?: true;
    readonly headers: readonly RecordHeader[];
    readonly timestamp: number;
  };
}

/** What could not be processed, with its coordinates and the record itself, cut where it is too long. */
export function deadLetterData({
  record,
  ...where
}: Omit<DeadLetterData, "record"> & { readonly record: LogRecord }): DeadLetterData {
  const key = record.key.slice(0, maximumKeyCharacters).toWellFormed();
  const value = cutToFit(record.value);
  const { headers: all, timestamp } = record;
  const headers = jsonBytes(all) <= maximumHeadersBytes ? all : [];
  const isWhole = key === record.key && value === record.value && headers === all;
  return { ...where, record: { key, value, ...(isWhole ? {} : { truncated: true }), headers, timestamp } };
}

/** `data` of `gavel.log.gap.v1`: a stretch that the log deleted before it was read. */
export function gapData(
  { group, partition }: { readonly group: string; readonly partition: number },
  { topic, from, to }: LogGap,
): Readonly<Record<string, unknown>> {
  return { group, topic, partition, from, to, reason: "retention" };
}

function cutToFit(value: string): string {
  let cut = value;
  while (jsonBytes(cut) > maximumValueBytes) cut = cut.slice(0, Math.floor(cut.length / 2)).toWellFormed();
  return cut;
}

function jsonBytes(content: unknown): number {
  return new TextEncoder().encode(JSON.stringify(content)).length;
}

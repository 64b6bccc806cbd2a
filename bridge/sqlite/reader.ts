import type { PartitionState } from "./partitions.ts";

const NEWLINE = 10;

/** Encoded records, and the offset behind the last of them. */
export interface ReadRun {
  readonly parts: readonly Buffer[];
  readonly next: number;
}

/**
 * Records from `offset` on, at most `maxBytes` of them, in the answer's form and cut at record
 * ends; with `atLeastOne` the first record comes although it is larger. The caller asks below the
 * partition's end only.
 */
export function readRecords(
  partition: PartitionState,
  offset: number,
  maxBytes: number,
  atLeastOne: boolean,
): ReadRun {
  const parts: Buffer[] = [];
  let next = offset;
  let budget = maxBytes;
  for (const { base, records, data } of partition.chunks.from(offset)) {
    const start = skipRecords(data, offset - base);
    const end = cut(data, start, budget, atLeastOne && parts.length === 0);
    if (end > start) parts.push(data.subarray(start, end));
    next = end < data.length ? next + countRecords(data, start, end) : base + records;
    budget -= end - start;
    if (end < data.length || budget <= 0) break;
  }
  return { parts, next };
}

function countRecords(data: Buffer, start: number, end: number): number {
  let count = 0;
  for (let position = start; position < end; count++) position = data.indexOf(NEWLINE, position) + 1;
  return count;
}

/**
 * The first offset whose timestamp is at or after `time`; the end where there is none.
 *
 * Bisects for the first chunk up to which the highest timestamp reaches `time`: it holds the
 * first record that does, since no chunk before it does.
 */
export function firstAtOrAfter(partition: PartitionState, time: number): number {
  const { chunks, end, highestTimestamp } = partition;
  if (highestTimestamp < time) return end;
  let low = 0;
  let high = end - 1;
  while (low < high) {
    const chunk = chunks.at(Math.floor((low + high) / 2));
    if (chunk.highestTimestamp >= time) high = chunk.base;
    else low = chunk.base + chunk.records;
  }
  const { base } = chunks.at(low);
  return base + indexOfTime(chunks.data(base), time);
}

/** Where the record after `count` others begins; nothing is skipped in a chunk behind the first. */
function skipRecords(data: Buffer, count: number): number {
  let position = 0;
  for (let skipped = 0; skipped < count; skipped++) position = data.indexOf(NEWLINE, position) + 1;
  return position;
}

/** The end of the last whole record within `budget` bytes of `start`. */
function cut(data: Buffer, start: number, budget: number, atLeastOne: boolean): number {
  if (data.length - start <= budget) return data.length;
  const end = budget <= 0 ? 0 : data.lastIndexOf(NEWLINE, start + budget - 1) + 1;
  if (end > start) return end;
  return atLeastOne ? data.indexOf(NEWLINE, start) + 1 : start;
}

function indexOfTime(data: Buffer, time: number): number {
  const text = data.toString("utf8", 0, data.length - ",\n".length);
  const records = JSON.parse(`[${text}]`) as { readonly timestamp: number }[];
  return records.findIndex(({ timestamp }) => timestamp >= time);
}

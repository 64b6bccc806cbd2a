import { type KafkaLog, LogError, type ProduceRecord, type ProduceResult } from "../kafka/port.ts";
import type { Clock } from "../lib/clock.ts";

export interface ProduceDependencies {
  readonly log: KafkaLog;
  readonly clock: Clock;
  /** In [0, 1), for the backoff's jitter. */
  readonly random: () => number;
}

/** Mean waits before the second, third … attempt, in milliseconds; the last one repeats. */
const backoff = [20, 40, 80, 160, 320] as const;

/**
 * Appends the records in one call, and again what failed for a reason that may pass, until the
 * deadline. Answers one result per record, in order, and throws for no failure of the log.
 *
 * A retry after an unknown effect may append a record twice. Everything that the edge writes can
 * bear that: bids and withdrawals are applied once per (subject, source, id), an item is listed
 * once per item id, and a tick repeated moves no clock. What fails of a partition is a suffix of
 * its records (the port says so), so that a retry of just the failed ones keeps every key's order.
 */
export async function produceWithRetries(
  { log, clock, random }: ProduceDependencies,
  records: readonly ProduceRecord[],
  deadline: number,
): Promise<readonly ProduceResult[]> {
  let results = await attempt(log, records, deadline);
  for (let retry = 0; ; retry += 1) {
    const again = retryable(results);
    const wait = (backoff[Math.min(retry, backoff.length - 1)] ?? 0) * (0.5 + random());
    if (again.length === 0 || clock.now() + wait >= deadline) return results;
    await clock.sleep(wait);
    results = merge(
      results,
      again,
      await attempt(log, again.map((index) => records[index]).filter(isPresent), deadline),
    );
  }
}

async function attempt(
  log: KafkaLog,
  records: readonly ProduceRecord[],
  deadline: number,
): Promise<readonly ProduceResult[]> {
  try {
    return await log.produce(records, deadline);
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    return records.map(() => ({ ok: false, error }));
  }
}

/** The places of what failed for a reason that may pass. */
function retryable(results: readonly ProduceResult[]): number[] {
  const places: number[] = [];
  for (const [index, result] of results.entries()) {
    if (!result.ok && result.error.retryable) places.push(index);
  }
  return places;
}

function merge(
  results: readonly ProduceResult[],
  places: readonly number[],
  newer: readonly ProduceResult[],
): readonly ProduceResult[] {
  const merged = [...results];
  for (const [index, place] of places.entries()) {
    const result = newer[index];
    if (result !== undefined) merged[place] = result;
  }
  return merged;
}

function isPresent<Value>(value: Value | undefined): value is Value {
  return value !== undefined;
}

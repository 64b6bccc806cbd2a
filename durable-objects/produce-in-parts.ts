import { LogError, type ProduceRecord, type ProduceResult } from "../src/kafka/port.ts";
import type { PartitionDependencies } from "./dependencies.ts";

/**
 * Appends records in order, and in halves what the log refuses as too large together. Answers the
 * results of the first ones, up to and with one that failed: nothing behind it was sent, so that
 * what is in the log is a prefix.
 * @throws {LogError} when the first request failed as a whole
 */
export async function produceInParts(
  dependencies: Pick<PartitionDependencies, "clock" | "log" | "settings">,
  records: readonly ProduceRecord[],
): Promise<readonly ProduceResult[]> {
  const { clock, log, settings } = dependencies;
  try {
    return await log.produce(records, clock.now() + settings.produceTimeoutMs);
  } catch (error) {
    if (!(error instanceof LogError) || !isTooLarge(error)) throw error;
    if (records.length === 1) return [{ ok: false, error }];
  }
  const half = records.length >>> 1;
  const first = await produceInParts(dependencies, records.slice(0, half));
  if (first.some(({ ok }) => !ok)) return first;
  return [...first, ...(await secondPart(dependencies, records.slice(half)))];
}

/** What the first part is known to have done is not forgotten over a failure of the second. */
async function secondPart(
  dependencies: Pick<PartitionDependencies, "clock" | "log" | "settings">,
  records: readonly ProduceRecord[],
): Promise<readonly ProduceResult[]> {
  try {
    return await produceInParts(dependencies, records);
  } catch (error) {
    if (error instanceof LogError) return [{ ok: false, error }];
    throw error;
  }
}

export function isTooLarge(error: LogError): boolean {
  return error.code === "too-large";
}

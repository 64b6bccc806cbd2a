import type { FetchAnswer } from "../src/kafka/port.ts";
import type { PartitionDependencies } from "./dependencies.ts";

const offsetsTimeoutMs = 10_000;

/**
 * The log's first offset, as far as it matters to who has read at a position. A server that does not
 * tell it is asked where a record lies above the position, so that what was deleted is not taken for
 * what never was.
 * @throws {LogError}
 */
export async function logStart(
  { clock, log, partition }: Pick<PartitionDependencies, "clock" | "log" | "partition">,
  topic: string,
  { records, start }: FetchAnswer,
  position: number,
): Promise<number> {
  const first = records[0]?.offset ?? position;
  if (start !== undefined || first <= position) return start ?? 0;
  const [earliest] = await log.offsets("earliest", [{ topic, partition }], clock.now() + offsetsTimeoutMs);
  return Math.min(earliest?.offset ?? 0, first);
}

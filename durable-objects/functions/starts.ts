import type { PartitionDependencies } from "../dependencies.ts";
import type { DrivenFunction } from "./driven.ts";

const offsetsTimeoutMs = 15_000;

/**
 * Where functions begin that nothing is known of; of one that begins with the group nothing is said.
 * @param topic as named in the log
 * @throws {LogError}
 */
export async function startsOf(
  { clock, log, partition }: Pick<PartitionDependencies, "clock" | "log" | "partition">,
  topic: string,
  functions: readonly DrivenFunction[],
): Promise<ReadonlyMap<string, number>> {
  const starts = new Map<string, number>();
  for (const { from, name } of functions) {
    if (from === "latest") continue;
    const [start] = await log.offsets(from, [{ topic, partition }], clock.now() + offsetsTimeoutMs);
    if (start !== undefined) starts.set(name, start.offset);
  }
  return starts;
}

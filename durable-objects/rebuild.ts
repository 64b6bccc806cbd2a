import type { LogOffset } from "../src/kafka/port.ts";
import type { PartitionDependencies } from "./dependencies.ts";

const timeoutMs = 10_000;

/**
 * What a rebuild from the log could not bring back, in a plain sentence; null where it brings back
 * all. The journal alone is asked: everything that the state depends on is in it.
 * @param journal as named in the log
 * @param stopped why nothing is applied: the log has another topic than was read
 * @throws {LogError} and then nothing may be wiped
 */
export async function lostByRebuild(
  { clock, log, partition }: PartitionDependencies,
  journal: string,
  stopped: string | undefined,
): Promise<string | null> {
  const wanted = [{ topic: journal, partition }];
  const [first]: readonly LogOffset[] = await log.offsets("earliest", wanted, clock.now() + timeoutMs);
  if (stopped !== undefined) return `What was read is not in the log any more: ${stopped}`;
  if (first === undefined) return `The log does not say where ${journal}/${partition} begins`;
  if (first.offset === 0) return null;
  return `The log has deleted ${journal}/${partition} before offset ${first.offset}`;
}

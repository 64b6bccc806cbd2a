import { tickAt } from "../src/auction/tick.ts";
import type { PartitionDependencies } from "./dependencies.ts";
import type { JournalReading } from "./journal-reading.ts";

/**
 * Writes a tick where something is due by the wall clock and the partition is idle at its log's
 * end, so that what closes by time is in the log as well.
 * @throws {LogError}
 * @throws {TopicReplaced}
 */
export async function tickWhenDue(
  { clock, log, partition, settings }: PartitionDependencies,
  { identities, journal, reader, source, topic, waiters }: JournalReading,
): Promise<void> {
  const due = journal.nextDue;
  const now = clock.now();
  const isIdle = !reader.isBehind && !reader.isWorking && !identities.isStopped;
  if (due === null || due.due > now || journal.store.state.trustedTime || !isIdle) return;
  const tick = tickAt(now, due.itemId, { journal: topic, partition, source });
  const [result] = await log.produce([tick], now + settings.produceTimeoutMs);
  if (result === undefined) return;
  if (!result.ok) throw result.error;
  identities.recognize("journal", result.topicId);
  reader.offer([{ ...tick, offset: result.offset, timestamp: result.timestamp }]);
  // Whoever reads the log at the same time may have brought the tick before its answer came.
  if (result.offset >= journal.position) await waiters.reached("journal", result.offset);
}

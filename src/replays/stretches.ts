import type { KafkaLog, LogOffset } from "../kafka/port.ts";
import { offsetOf, type Place } from "./place.ts";
import type { Stretch } from "./replay.ts";

/**
 * The stretch of each partition between two places, as the log is now: never before its first
 * offset, never behind its end. A partition whose places are the wrong way round has an empty one.
 * @param topic as the log names it
 * @throws {LogError}
 */
export async function lookUpStretches(
  log: KafkaLog,
  topic: string,
  count: number,
  { from, to }: { readonly from: Place | undefined; readonly to: Place | undefined },
  deadline: number,
): Promise<Stretch[]> {
  const partitions = Array.from({ length: count }, (_, partition) => ({ topic, partition }));
  const ask = async (at: "earliest" | "latest" | number) =>
    byPartition(await log.offsets(at, partitions, deadline), count);
  const ofPlace = (place: Place | undefined): Promise<number[]> | undefined => {
    if (place === undefined) return undefined;
    if (place.kind === "time") return ask(place.time);
    return Promise.resolve(partitions.map(({ partition }) => offsetOf(place, partition)));
  };
  const [starts, ends, froms, tos] = await Promise.all([
    ask("earliest"),
    ask("latest"),
    ofPlace(from),
    ofPlace(to),
  ]);
  return partitions.map(({ partition }) => {
    const start = starts[partition] ?? 0;
    const end = Math.max(start, ends[partition] ?? 0);
    const first = Math.min(end, Math.max(start, froms?.[partition] ?? start));
    return { from: first, to: Math.max(first, Math.min(end, tos?.[partition] ?? end)) };
  });
}

function byPartition(offsets: readonly LogOffset[], count: number): number[] {
  const found = Array.from({ length: count }, () => 0);
  for (const { partition, offset } of offsets) if (partition < count) found[partition] = offset;
  return found;
}

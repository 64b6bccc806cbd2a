import { type InstanceId, NO_OFFSET, type OffsetReset } from "../groups.ts";
import { type EventLog, LogFailure, type TopicPartition } from "../log.ts";
import type { CommittedOffset } from "./coordinator.ts";

/** Where an instance stands in a partition. */
export interface Position extends TopicPartition {
  /** What the group has committed. */
  committed: number;
  /** Where the next answer begins: behind what was handed out. */
  next: number;
  /** The generation in which `next` was reached. */
  generation: number;
}

export function positionKey({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}

/**
 * A position as the group keeps it. What was handed out but is not committed goes into a note beside
 * the committed offset, written before the answer: so the instance's next call goes on there on
 * whichever copy it arrives, and an instance that takes the partition over begins at the offset.
 */
export function toCommitted(position: Readonly<Position>, instance: string): CommittedOffset {
  const { topic, partition, committed, next, generation } = position;
  const note = next === committed ? "" : JSON.stringify({ instance, next, generation });
  return { topic, partition, offset: committed, note };
}

/** What a note says to its own instance; other programs write notes of other kinds. */
function readNote(note: string, instance: string): { next: number; generation: number } | null {
  try {
    const value: unknown = JSON.parse(note);
    if (typeof value !== "object" || value === null) return null;
    const fields = value as Readonly<Record<string, unknown>>;
    const { next, generation } = fields;
    if (fields["instance"] !== instance || typeof next !== "number" || typeof generation !== "number") {
      return null;
    }
    return Number.isSafeInteger(next) && next >= 0 ? { next, generation } : null;
  } catch {
    return null;
  }
}

type Offsets = Pick<EventLog, "offsets">;

export interface Found {
  readonly positions: readonly Position[];
  /** Those of them that were reset: not in the group yet. */
  readonly begun: readonly Position[];
}

/**
 * Where the instance goes on in its partitions, from what the group keeps; by the reset where the
 * group has no position or the log no longer has its records.
 * @throws {LogFailure} `refused` where a reset is needed and `none` forbids it.
 */
export async function findPositions(
  log: Offsets,
  { instance }: InstanceId,
  kept: readonly CommittedOffset[],
  reset: OffsetReset,
  generation: number,
): Promise<Found> {
  const starts = await log.offsets("earliest", kept);
  const positions = kept.map(({ topic, partition, offset, note }) => {
    const own = readNote(note, instance);
    return { topic, partition, committed: offset, next: offset, generation, ...own };
  });
  const begun = positions.filter(
    ({ committed, next }, index) => committed === NO_OFFSET || next < (starts[index]?.offset ?? 0),
  );
  await resetPositions(log, begun, reset);
  return { positions, begun };
}

/** Moves positions to where the reset says, changing them in place. @throws {LogFailure} `refused` */
export async function resetPositions(
  log: Offsets,
  positions: readonly Position[],
  reset: OffsetReset,
): Promise<void> {
  const [first] = positions;
  if (first === undefined) return;
  if (reset === "none") {
    const place = positionKey(first);
    throw new LogFailure("refused", "none", `no committed offset is left of ${place}, and the reset is none`);
  }
  const offsets = await log.offsets(reset, positions);
  for (const [index, position] of positions.entries()) {
    position.next = position.committed = offsets[index]?.offset ?? 0;
  }
}

import type { PartProgress } from "../../src/replays/replay.ts";
import type { Replay } from "./catalog-store.ts";

/** When something is to be done for a replay next, in milliseconds since the epoch; null where nothing is. */
export function nextStepOf(
  unsettled: readonly Replay[],
  partsOf: (id: string) => readonly PartProgress[],
  now: number,
): number | null {
  const times = unsettled.map((replay) => {
    if (replay.status !== "running") return Math.max(now, replay.discardAt ?? 0);
    return nextOfRunning(replay, partsOf(replay.id), now);
  });
  return times.length === 0 ? null : Math.min(...times);
}

/** The earliest retry, or now where something need not wait. */
function nextOfRunning({ conclusion }: Replay, parts: readonly PartProgress[], now: number): number {
  const unread = parts.filter(({ position, to }) => position < to);
  const retries = (unread.length === 0 ? [conclusion] : unread).map(({ waiting }) => waiting?.retryAt ?? now);
  return Math.max(now, Math.min(...retries));
}

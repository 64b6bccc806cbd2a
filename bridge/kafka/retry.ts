import { setTimeout as sleep } from "node:timers/promises";
import { LogFailure } from "../log.ts";
import type { Cluster } from "./cluster.ts";

/** How long a read looks for a leader that answers, in milliseconds; then its caller is told. */
const PATIENCE_MS = 2_000;
const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 250;

/**
 * Tries a read again, by a new view of the cluster, while what fails it passes by itself: an
 * election, a broker that restarts, a topic that was made a moment ago.
 * @throws {LogFailure} the last one
 */
export async function withNewView<Result>(cluster: Cluster, read: () => Promise<Result>): Promise<Result> {
  const until = Date.now() + PATIENCE_MS;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
    try {
      return await read();
    } catch (error) {
      if (!isPassing(error) || Date.now() + pause > until) throw error;
    }
    await sleep(pause);
    await cluster.refresh();
  }
}

function isPassing(error: unknown): boolean {
  return error instanceof LogFailure && (error.code === "unavailable" || error.code === "timeout");
}

import type { Miniflare } from "miniflare";
import { messageOf } from "./problem.ts";

/** How often the Worker's scheduled handler runs; deployed, cron's finest grain is a minute. */
const intervalMs = 2_000;
/** How long a runtime that takes requests may take to say so. */
const answerMs = 10_000;
/** Silences in a row after which the runtime is given up. */
const patience = 3;

/**
 * Drives the sweep: Miniflare fires no cron. The same beat watches the runtime. Miniflare starts
 * one again that died; one that takes no requests, or that Miniflare could not bring back, ends
 * this process, and the supervisor starts another.
 */
export function driveSweep(runtime: Miniflare, url: string): { stop(): void } {
  let silences = 0;
  let stopped = false;
  let timer = setTimeout(() => void beat(), intervalMs);

  async function beat(): Promise<void> {
    const alive = await isAlive(url);
    if (stopped) return;
    silences = alive ? 0 : silences + 1;
    if (silences >= patience) {
      console.error("The Workers runtime takes no requests; the gateway starts again.");
      process.exit(1);
    }
    if (alive) await sweep(runtime);
    if (!stopped) timer = setTimeout(() => void beat(), intervalMs);
  }

  return {
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

async function isAlive(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(answerMs) });
    await response.arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

/** A sweep that fails says so and is followed by the next one: it holds nothing of its own. */
async function sweep(runtime: Miniflare): Promise<void> {
  try {
    // Asked for anew each time: a handle does not outlive a restart of the runtime.
    const worker = await runtime.getWorker();
    await worker.scheduled({ cron: "* * * * *", scheduledTime: new Date() });
  } catch (error) {
    console.error(`The sweep failed: ${messageOf(error)}`);
  }
}

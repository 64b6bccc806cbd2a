import { setTimeout as sleep } from "node:timers/promises";
import type { Miniflare } from "miniflare";
import { messageOf } from "./problem.ts";

/** Where Miniflare takes triggers, in front of the Worker: only on its own port, not on the gateway's. */
const sweepUrl = "http://127.0.0.1/cdn-cgi/local/scheduled?cron=*+*+*+*+*";
/** How often the Worker's scheduled handler runs; deployed, cron's finest grain is a minute. */
const intervalMs = 2_000;
/** How long one sweep may take. It ends by itself long before, also while the log is away. */
const answerMs = 20_000;
/** Sweeps without an answer in a row after which the runtime is given up. */
const patience = 3;

/**
 * Drives the sweep: Miniflare fires no cron. The same beat watches the runtime. Miniflare starts
 * one again that died; one that answers nothing, or that Miniflare could not bring back, ends
 * this process, and the supervisor starts another.
 */
export function driveSweep(runtime: Miniflare): { stop(): void } {
  let silences = 0;
  let stopped = false;
  let timer = setTimeout(() => void beat(), intervalMs);

  async function beat(): Promise<void> {
    const answered = await sweep(runtime);
    if (stopped) return;
    silences = answered ? 0 : silences + 1;
    if (silences >= patience) {
      console.error("The Workers runtime does not answer; the gateway starts again.");
      process.exit(1);
    }
    timer = setTimeout(() => void beat(), intervalMs);
  }

  return {
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

/** Whether the runtime answered, be it that the sweep failed: the next one makes up for it. */
async function sweep(runtime: Miniflare): Promise<boolean> {
  const silence = new AbortController();
  try {
    return await Promise.race([scheduled(runtime), sleep(answerMs, false, { signal: silence.signal })]);
  } catch (error) {
    console.error(`The sweep failed: ${messageOf(error)}`);
    return false;
  } finally {
    silence.abort();
  }
}

/**
 * Asks over HTTP: the handle that `getWorker` answers would stop this process's only thread until
 * the runtime answers, and the runtime stops as soon as what it prints is no longer read, which is
 * that thread's work as well: neither would ever go on.
 */
async function scheduled(runtime: Miniflare): Promise<boolean> {
  const answer = await runtime.dispatchFetch(sweepUrl);
  const outcome = await answer.text();
  if (!answer.ok) console.error(`The sweep ended with ${outcome}.`);
  return true;
}

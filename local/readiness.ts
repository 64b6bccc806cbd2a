import { setTimeout as sleep } from "node:timers/promises";
import { messageOf, PlainError } from "./problem.ts";

/** How long the gateway may take to reach the log once both processes run. */
const patienceMs = 10_000;

/** Waits until the gateway says that it can do its work. @throws {PlainError} with its reason. */
export async function untilReady(url: string): Promise<void> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const reason = await unreadiness(url);
    if (reason === null) return;
    if (Date.now() > deadline) throw new PlainError(`the gateway does not become ready: ${reason}`);
    await sleep(50);
  }
}

async function unreadiness(url: string): Promise<string | null> {
  try {
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(patienceMs) });
    const body = await response.text();
    return response.ok ? null : `${response.status} ${body}`;
  } catch (error) {
    return messageOf(error);
  }
}

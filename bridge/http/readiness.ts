import type { EventLog } from "../log.ts";

/** A log that takes longer to tell its topics does not answer. Milliseconds. */
const TIMEOUT_MS = 2_000;
/** Answers are this old at most, so that nobody without credentials can keep the log busy. */
const FRESH_MS = 500;

/** Whether the log answers and is as it should be. */
export class Readiness {
  readonly #log: EventLog;
  #asked: { readonly at: number; readonly reasons: Promise<readonly string[]> } | undefined;

  constructor(log: EventLog) {
    this.#log = log;
  }

  /** Why the bridge is not ready, in plain sentences; none when it is. */
  reasons(): Promise<readonly string[]> {
    const now = performance.now();
    if (this.#asked === undefined || now - this.#asked.at > FRESH_MS) {
      this.#asked = { at: now, reasons: this.#ask() };
    }
    return this.#asked.reasons;
  }

  async #ask(): Promise<readonly string[]> {
    const silence = await Promise.race([answerOf(this.#log), timeout()]);
    return [...(silence === null ? [] : [silence]), ...this.#log.problems()];
  }
}

async function answerOf(log: EventLog): Promise<string | null> {
  try {
    await log.topics();
    return null;
  } catch (error) {
    return `The log does not tell its topics: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function timeout(): Promise<string> {
  return new Promise((resolve) => {
    setTimeout(resolve, TIMEOUT_MS, `The log has not answered within ${TIMEOUT_MS} ms.`).unref();
  });
}

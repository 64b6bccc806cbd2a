export interface Clock {
  /** Milliseconds since the epoch. In Workers it stands still between two I/O operations. */
  now(): number;
  /** Resolves when the time is up, or at once when the signal is aborted. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep,
};

/** A timer that nobody waits for any more is cleared: it would keep a Durable Object from rest. */
function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** What the work answers; undefined where it takes longer. It goes on then, and its failure is nobody's. */
export async function within<Answer>(
  clock: Pick<Clock, "sleep">,
  milliseconds: number,
  work: Promise<Answer>,
): Promise<Answer | undefined> {
  const isOver = new AbortController();
  const late = clock.sleep(milliseconds, isOver.signal).then(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    isOver.abort();
  }
}

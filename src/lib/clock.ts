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

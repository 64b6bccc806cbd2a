/**
 * Whether the promise resolves within the time and before the signal; what it rejects with is
 * thrown. The promise itself goes on.
 */
export async function settlesWithin(
  promise: Promise<unknown>,
  ms: number,
  signal?: AbortSignal,
): Promise<boolean> {
  if (signal?.aborted === true) return false;
  let end: () => void = () => undefined;
  const ended = new Promise<false>((resolve) => (end = () => resolve(false)));
  const timer = setTimeout(end, Math.max(0, ms));
  signal?.addEventListener("abort", end, { once: true });
  try {
    return await Promise.race([promise.then(() => true), ended]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", end);
  }
}

/** Resolves after a time, or at once when the signal aborts. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await settlesWithin(new Promise(() => undefined), ms, signal);
}

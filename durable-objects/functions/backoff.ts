/**
 * How long a record waits before its next attempt: drawn evenly from zero to a bound that doubles
 * with each attempt ("full jitter"), so that records that failed together do not come back together.
 * Source: AWS Architecture Blog, "Exponential Backoff And Jitter".
 *
 * @param attempts made so far, at least 1
 * @param random in [0, 1)
 */
export function delayAfter(
  attempts: number,
  { firstDelayMs, longestDelayMs }: { readonly firstDelayMs: number; readonly longestDelayMs: number },
  random: () => number,
): number {
  return Math.round(random() * Math.min(longestDelayMs, firstDelayMs * 2 ** (attempts - 1)));
}

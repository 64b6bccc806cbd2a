import type { Host } from "./host.ts";
import { failureOf, GavelProblem } from "./problem.ts";

export interface RetryPolicy {
  /** Requests of one call at most. */
  readonly attempts: number;
  /** The whole call, waiting included, in milliseconds. */
  readonly timeoutMs: number;
  /** One request, in milliseconds. */
  readonly attemptTimeoutMs: number;
  readonly signal?: AbortSignal;
}

const firstDelayMs = 200;
const longestDelayMs = 5_000;
/** A gateway that asks for more is not waited for: the caller is told how long it would be. */
const longestRetryAfterMs = 30_000;

/**
 * Makes attempts until one succeeds, one fails for good, or time or attempts are used up.
 * @throws {GavelProblem} the last attempt's
 * @throws the reason of the caller's signal
 */
export async function withRetries<Answer>(
  host: Host,
  policy: RetryPolicy,
  attempt: (signal: AbortSignal) => Promise<Answer>,
): Promise<Answer> {
  const { signal } = policy;
  const deadline = host.now() + policy.timeoutMs;
  for (let attempts = 1; ; attempts += 1) {
    signal?.throwIfAborted();
    const left = Math.max(1, Math.min(policy.attemptTimeoutMs, deadline - host.now()));
    const timeout = AbortSignal.timeout(left);
    const either = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
    try {
      return await attempt(either);
    } catch (error) {
      signal?.throwIfAborted();
      const problem = problemFrom(error, timeout, attempts);
      const delay = delayBefore(attempts, problem.retryAfterMs, host.random());
      const isOver = attempts >= policy.attempts || delay === undefined || host.now() + delay >= deadline;
      if (!problem.retryable || isOver) throw problem;
      await host.sleep(delay, signal);
    }
  }
}

/** The attempt's failure as a problem, with how many there were. Anything unknown is the network's. */
function problemFrom(error: unknown, timeout: AbortSignal, attempts: number): GavelProblem {
  if (error instanceof GavelProblem) {
    const { isOutcomeUnknown, cause } = error;
    return new GavelProblem(error, { attempts, isOutcomeUnknown, cause });
  }
  const failure = timeout.aborted
    ? failureOf("timeout", "The gateway did not answer in time", error)
    : failureOf("network-failure", error instanceof Error ? error.message : String(error), error);
  return new GavelProblem(failure, { attempts, cause: error });
}

/**
 * Full jitter: anything up to a bound that doubles, so that clients that failed together do not come
 * together again. What the gateway asks for is waited for first. Undefined: longer than anybody waits.
 */
export function delayBefore(
  attempts: number,
  retryAfterMs: number | undefined,
  random: number,
): number | undefined {
  const jitter = random * Math.min(longestDelayMs, firstDelayMs * 2 ** (attempts - 1));
  if (retryAfterMs === undefined) return jitter;
  return retryAfterMs > longestRetryAfterMs ? undefined : retryAfterMs + jitter;
}

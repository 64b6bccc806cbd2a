/** What a partition does that can fail on its own, and be tried again on its own. */
export type Activity =
  | "read the journal"
  | "relay items"
  | "send outputs"
  | "tick"
  | "read the topic"
  | "catch up functions"
  | "drive functions"
  | "disable functions";

interface Failure {
  readonly message: string;
  readonly retryAt: number;
  /** From when on it is told: at once what is a fault, a wait only once it lasts. */
  readonly toldFrom: number;
}

const firstRetryMs = 1_000;
const longestRetryMs = 30_000;
/** A wait ends by itself: it is looked at soon, and nothing worth telling for a while. */
const waitRetryMs = 500;
const patienceMs = 5_000;

/**
 * What failed, per activity, and when each is tried again: exponentially later while it fails in a
 * row, soon while it only waits.
 */
export class Failures {
  private readonly current = new Map<Activity, Failure>();
  private readonly inARow = new Map<Activity, number>();

  fail(activity: Activity, message: string, now: number): void {
    const count = this.inARow.get(activity) ?? 0;
    const delay = Math.min(longestRetryMs, firstRetryMs * 2 ** Math.min(count, 10));
    this.inARow.set(activity, count + 1);
    this.current.set(activity, { message, retryAt: now + delay, toldFrom: now });
  }

  /** The activity waits for something that comes about by itself. Answers whether it has just begun to. */
  wait(activity: Activity, message: string, now: number): boolean {
    const before = this.current.get(activity);
    const toldFrom = before?.toldFrom ?? now + patienceMs;
    this.current.set(activity, { message, retryAt: now + waitRetryMs, toldFrom });
    return before === undefined;
  }

  succeed(activity: Activity): void {
    this.current.delete(activity);
    this.inARow.delete(activity);
  }

  /** When this activity is tried again, 0 where it did not fail. */
  retryAtOf(activity: Activity): number {
    return this.current.get(activity)?.retryAt ?? 0;
  }

  /** The earliest time at which something is tried again, null when nothing failed. */
  get retryAt(): number | null {
    const times = [...this.current.values()].map(({ retryAt }) => retryAt);
    return times.length === 0 ? null : Math.min(...times);
  }

  /** In a plain sentence, undefined when nothing failed, and nothing waits for long. */
  summaryAt(now: number): string | undefined {
    const told = [...this.current].filter(([, { toldFrom }]) => toldFrom <= now);
    if (told.length === 0) return undefined;
    return told.map(([activity, { message }]) => `could not ${activity}: ${message}`).join("; ");
  }
}

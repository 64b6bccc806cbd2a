/** What a partition waits for, in milliseconds since the epoch. */
export interface AlarmInputs {
  readonly now: number;
  /** When what failed is tried again; null when nothing failed. */
  readonly retryAt: number | null;
  /** Outputs or records are under way; after a crash the alarm is what finds them. */
  readonly hasWork: boolean;
  /** When the next start, closing or expiry is due by stream time. */
  readonly nextDue: number | null;
  /** The last record's time was set by a trusted credential, whose clock the partition follows. */
  readonly trustedTime: boolean;
}

/** How long work may be under way before the alarm looks after it. */
export const guardMs = 10_000;

/** When the object's one alarm has to fire, or null. */
export function computeNextAlarm({
  now,
  retryAt,
  hasWork,
  nextDue,
  trustedTime,
}: AlarmInputs): number | null {
  const candidates: number[] = [];
  if (retryAt !== null) candidates.push(retryAt);
  if (hasWork) candidates.push(now + guardMs);
  if (nextDue !== null && !trustedTime) candidates.push(Math.max(now, nextDue));
  return candidates.length === 0 ? null : Math.min(...candidates);
}

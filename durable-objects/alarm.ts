/** What a partition waits for, in milliseconds since the epoch. */
export interface AlarmInputs {
  readonly now: number;
  /** When what failed is tried again; null when nothing failed. */
  readonly retryAt: number | null;
  /** Outputs or records are under way; after a crash the alarm is what finds them. */
  readonly hasWork: boolean;
  /** When the next start, closing or expiry is due by stream time. */
  readonly nextDue: number | null;
  /** Before this a tick is not tried again: what it needs failed, or the last try closed nothing. */
  readonly tickNotBefore: number;
  /** The last record's time was set by a trusted credential, whose clock the partition follows. */
  readonly trustedTime: boolean;
}

/** How long work may be under way before the alarm looks after it. */
export const guardMs = 10_000;
/** How long after a tick that could not be made, or closed nothing, the next one is tried. */
export const tickRetryMs = 1_000;

/** When the object's one alarm has to fire, or null. */
export function computeNextAlarm({
  now,
  retryAt,
  hasWork,
  nextDue,
  tickNotBefore,
  trustedTime,
}: AlarmInputs): number | null {
  const candidates: number[] = [];
  // A retry whose time is over and that did not come about waits for something else: not for now.
  if (retryAt !== null) candidates.push(retryAt > now ? retryAt : now + guardMs);
  if (hasWork) candidates.push(now + guardMs);
  if (nextDue !== null && !trustedTime) candidates.push(Math.max(now, nextDue, tickNotBefore));
  return candidates.length === 0 ? null : Math.min(...candidates);
}

/** What a group of functions meets beside faults of what surrounds it. */
export const momentNames = [
  "dead letter",
  "circuit opened",
  "budget spent",
  "window full",
  "paused",
  "sought back",
  "sought forward",
  "retried",
  "skipped",
  "redriven",
  "offsets lost",
] as const;

export type Moment = (typeof momentNames)[number];

/** How often each came in a run, or in several. */
export class Moments {
  readonly counts: Record<Moment, number>;

  constructor() {
    const counts: Partial<Record<Moment, number>> = {};
    for (const name of momentNames) counts[name] = 0;
    this.counts = counts as Record<Moment, number>;
  }

  count(moment: Moment, times = 1): void {
    this.counts[moment] += times;
  }

  add({ counts }: Moments): void {
    for (const name of momentNames) this.count(name, counts[name]);
  }
}

import type { Clock } from "../../src/lib/clock.ts";

interface Deadline {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly onTime: () => void;
}

/**
 * The deadlines of the calls under way, by one timer: nearly all are taken back, and a timer that is
 * set and cleared for each call costs as much as its request. None is left when no call is under
 * way, since a timer keeps a Durable Object from rest.
 */
export class Deadlines {
  private readonly clock: Clock;
  private readonly deadlines = new Set<Deadline>();
  private timer: { readonly at: number; readonly cleared: AbortController } | undefined;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Calls when the time has come, unless it is taken back before. Answers what takes it back. */
  set(at: number, onTime: () => void): () => void {
    const deadline = { at, onTime };
    this.deadlines.add(deadline);
    if (at < this.armedFor) this.arm(at);
    return () => {
      this.deadlines.delete(deadline);
      if (this.deadlines.size === 0) this.disarm();
    };
  }

  private arm(at: number): void {
    this.disarm();
    const cleared = new AbortController();
    this.timer = { at, cleared };
    void this.clock.sleep(Math.max(0, at - this.clock.now()), cleared.signal).then(() => {
      if (!cleared.signal.aborted) this.fire();
    });
  }

  private get armedFor(): number {
    return this.timer?.at ?? Number.POSITIVE_INFINITY;
  }

  private disarm(): void {
    this.timer?.cleared.abort();
    this.timer = undefined;
  }

  private fire(): void {
    this.timer = undefined;
    const now = this.clock.now();
    for (const deadline of [...this.deadlines]) {
      if (deadline.at > now) continue;
      this.deadlines.delete(deadline);
      deadline.onTime();
    }
    // What came may have set others, further away than those that were there.
    const soonest = Math.min(...[...this.deadlines].map(({ at }) => at));
    if (soonest < this.armedFor) this.arm(soonest);
  }
}

import type { Clock } from "../lib/clock.ts";
import type { Counts, RequestMetrics } from "./request-metrics.ts";
import type { MeterAnswer, MeterBatch } from "../../durable-objects/meters/rpc.ts";

/** How often an isolate hands over at most, unless the object asks for longer. */
const intervalMs = 5_000;
/** A request goes on for 30 s behind its answer at most; what is planned for later is left to a later one. */
const longestWaitMs = 20_000;
/** Nothing is heard any more of what was sent so long ago: its request has ended. */
const patienceMs = 30_000;
/** Batches in doubt; with so many, what is counted stays where it is counted. */
const mostOutstanding = 4;

export interface HandOverDependencies {
  readonly metrics: RequestMetrics;
  readonly clock: Clock;
  /** Asked once, at the first hand-over: an isolate may draw nothing before a request. */
  readonly newIsolateId: () => string;
  readonly add: (isolate: string, batches: readonly MeterBatch[]) => Promise<MeterAnswer>;
}

/**
 * Hands over what an isolate has counted, a few seconds' worth at a time. A batch has a number of its
 * isolate's, and one whose answer is lost goes once more under the same: it counts once. Nobody waits
 * for another request's call, which Workers forbid; so several may be under way, and their order
 * does not matter.
 */
export class HandOver {
  private readonly dependencies: HandOverDependencies;
  private readonly outstanding = new Map<number, { readonly counts: Counts; sentAt: number }>();
  private isolate: string | undefined;
  private sequence = 0;
  private nextAt = 0;
  /** Somebody has a hand-over planned until then; behind it that request must have ended. */
  private plannedUntil = 0;

  constructor(dependencies: HandOverDependencies) {
    this.dependencies = dependencies;
  }

  /**
   * Behind each request: has what was counted handed over when it is due.
   * @param waitUntil the request's own
   */
  soon(waitUntil: (work: Promise<unknown>) => void): void {
    const { clock } = this.dependencies;
    const now = clock.now();
    const waitMs = Math.max(0, this.nextAt - now);
    if (now < this.plannedUntil || waitMs > longestWaitMs) return;
    this.plannedUntil = now + waitMs + patienceMs;
    waitUntil(clock.sleep(waitMs).then(() => this.now()));
  }

  /** Hands over what there is. Answers whether the object has it; what it has not goes once more later. */
  async now(): Promise<boolean> {
    const { add, clock } = this.dependencies;
    const sentAt = clock.now();
    this.plannedUntil = 0;
    this.nextAt = sentAt + intervalMs;
    const batches = this.takeBatches(sentAt);
    if (batches.length === 0) return true;
    this.isolate ??= this.dependencies.newIsolateId();
    try {
      const { waitMs } = await add(this.isolate, batches);
      for (const { sequence } of batches) this.outstanding.delete(sequence);
      this.nextAt = sentAt + Math.max(intervalMs, waitMs);
      return true;
    } catch {
      for (const { sequence } of batches) {
        const batch = this.outstanding.get(sequence);
        if (batch !== undefined) batch.sentAt = Number.NEGATIVE_INFINITY;
      }
      return false;
    }
  }

  /** What failed or was never answered, and what was counted since. */
  private takeBatches(sentAt: number): MeterBatch[] {
    const batches: MeterBatch[] = [];
    for (const [sequence, batch] of this.outstanding) {
      if (batch.sentAt > sentAt - patienceMs) continue;
      batch.sentAt = sentAt;
      batches.push({ sequence, counts: batch.counts });
    }
    if (this.outstanding.size >= mostOutstanding) return batches;
    const counts = this.dependencies.metrics.take();
    if (Object.keys(counts).length === 0) return batches;
    this.sequence += 1;
    this.outstanding.set(this.sequence, { counts, sentAt });
    return [...batches, { sequence: this.sequence, counts }];
  }
}

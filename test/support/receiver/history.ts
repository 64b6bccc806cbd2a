import type { Delivery, ReceivedCall, Verdict } from "./call.ts";
import type { Arrived, ReceivedRequest } from "./request.ts";

interface OpenCall extends ReceivedCall {
  ended?: number;
  endedAt?: number;
  deliveries: readonly Delivery[];
}

/** A call on its way to an answer. */
export interface BegunCall {
  readonly call: ReceivedCall;
  /** How often its first record has come, this time included. */
  readonly arrival: number;
  /** Notes the answer; only the first one counts. */
  readonly end: (verdictOf: (arrived: Arrived) => Verdict) => void;
}

/**
 * Every call in the order of beginning. That two calls of one key overlap is told while it happens:
 * an order made afterwards could only be as good as its clock.
 */
export class DeliveryHistory {
  readonly calls: ReceivedCall[] = [];
  /** What went wrong, as it happens, in plain words. */
  readonly violations: string[] = [];
  readonly #laneOf: (arrived: Arrived) => string | null;
  readonly #running = new Map<string, ReceivedCall>();
  readonly #arrivals = new Map<string, number>();
  #moment = 0;

  /** @param laneOf what must not overlap with its like; null: nothing does */
  constructor(laneOf: (arrived: Arrived) => string | null) {
    this.#laneOf = laneOf;
  }

  begin(endpoint: string, { id, arrived, ...more }: ReceivedRequest): BegunCall {
    const deliveries = arrived.map((record) => ({ ...record, verdict: "unanswered" as const }));
    const call: OpenCall = {
      number: this.calls.length + 1,
      endpoint,
      id,
      ...more,
      began: this.#next(),
      beganAt: Date.now(),
      deliveries,
    };
    this.calls.push(call);
    const lanes = this.#enter(call);
    const first = `${endpoint} ${arrived[0]?.id}`;
    const arrival = (this.#arrivals.get(first) ?? 0) + 1;
    this.#arrivals.set(first, arrival);
    const end: BegunCall["end"] = (verdictOf) => {
      if (call.ended !== undefined) return;
      call.ended = this.#next();
      call.endedAt = Date.now();
      call.deliveries = arrived.map((record) => ({ ...record, verdict: verdictOf(record) }));
      for (const lane of lanes) if (this.#running.get(lane) === call) this.#running.delete(lane);
    };
    return { call, arrival, end };
  }

  #enter(call: ReceivedCall): string[] {
    const lanes = new Set(call.deliveries.map((record) => this.#laneOf(record)));
    const entered = [...lanes].filter((lane) => lane !== null).map((lane) => `${call.endpoint} ${lane}`);
    for (const lane of entered) {
      const other = this.#running.get(lane);
      if (other !== undefined) {
        this.violations.push(`${call.id} was called while ${other.id} ran, and both are of ${lane}`);
      }
      this.#running.set(lane, call);
    }
    return entered;
  }

  #next(): number {
    this.#moment += 1;
    return this.#moment;
  }
}

import type { Call } from "../../../durable-objects/functions/calls-under-way.ts";
import type { Pending } from "../../../durable-objects/functions/pending.ts";
import type { FunctionSettings, InvocationResult, Outcome } from "../../../src/functions/function.ts";
import type { LogRecord } from "../../../src/kafka/port.ts";
import type { Random } from "../../faults/random.ts";

const madeOfIt: Outcome = { status: "done", outputs: [{ topic: "validated", type: "made", data: {} }] };

/** What a function is: it does, refuses and fails at random, and notices what must never happen. */
export class ModelReceiver {
  /** It fails for everything. */
  isAway = false;
  /** It wants no more calls. */
  isGone = false;
  /** What it did or refused, in order; a crash may keep the engine from hearing of it. */
  readonly decided: number[] = [];
  readonly done = new Set<number>();
  /** A record that makes every call fail that has it. */
  readonly poison: number;
  /** Until when it works, by lane. */
  private readonly busy = new Map<string, number>();
  private readonly attempts = new Map<number, number>();
  private readonly interruptions = new Map<number, number>();
  private readonly claims: { readonly offset: number; readonly failed: Pending }[] = [];
  private readonly random: Random;
  private readonly order: FunctionSettings["order"];
  private readonly mostAttempts: number;
  private readonly recordAt: (offset: number) => LogRecord;

  constructor(
    random: Random,
    { order, retry }: FunctionSettings,
    poison: number,
    recordAt: (offset: number) => LogRecord,
  ) {
    this.random = random;
    this.order = order;
    this.mostAttempts = retry.attempts;
    this.poison = poison;
    this.recordAt = recordAt;
  }

  laneOf(offset: number): string {
    if (this.order === "partition") return "all";
    return this.order === "key" ? this.recordAt(offset).key : String(offset);
  }

  /** A call arrives; answers when it is over, its deadline at the latest. @throws where it overlaps, or goes back */
  receive(call: Call, now: number): number {
    // Some never answer: the call is over when the caller gives it up.
    const endsAt = this.random.chance(0.1)
      ? call.deadline
      : Math.min(call.deadline, now + this.random.integer(0, 60));
    let before = -1;
    const lanes = new Set(call.records.map(({ offset }) => this.laneOf(offset)));
    for (const lane of lanes) {
      if ((this.busy.get(lane) ?? 0) > now) throw new Error(`two calls of ${lane} at a time`);
      this.busy.set(lane, endsAt);
    }
    for (const { offset, attempts } of call.records) {
      if (offset <= before) throw new Error(`${offset} stands behind ${before}`);
      before = offset;
      if (attempts < (this.attempts.get(offset) ?? 0)) throw new Error(`the attempts of ${offset} go back`);
      if (attempts >= this.mostAttempts + (this.interruptions.get(offset) ?? 0))
        throw new Error(`${offset} is tried once more than it may be`);
      this.attempts.set(offset, attempts);
    }
    return endsAt;
  }

  /** Whoever called for a record ended before the answer was stored: that was an attempt. */
  interrupt(offset: number): void {
    this.attempts.set(offset, (this.attempts.get(offset) ?? 0) + 1);
    this.interruptions.set(offset, (this.interruptions.get(offset) ?? 0) + 1);
  }

  /** Its record was taken back: it begins anew. */
  forget(offset: number): void {
    this.attempts.delete(offset);
  }

  /** Works through a call in order, and stops a lane at its first failure. */
  answer(call: Call, now: number): InvocationResult {
    if (this.isGone) return { outcomes: [], isGone: true };
    const isPoisoned = call.records.some(({ offset }) => offset === this.poison);
    if (this.isAway || isPoisoned || now > call.deadline)
      return { outcomes: [], failure: { reason: "failed" } };
    const stopped = new Map<string, Pending>();
    return {
      outcomes: call.records.map((pending) => {
        const failed = stopped.get(this.laneOf(pending.offset));
        if (failed === undefined) return this.outcomeOf(pending, stopped);
        // It stopped at the failure, and may yet say of what stands behind that it is done.
        if (this.random.chance(0.5)) return undefined;
        this.claims.push({ offset: pending.offset, failed });
        return madeOfIt;
      }),
    };
  }

  /** A call is settled: what was said behind a failure counts only where that one is not tried again. */
  settled(): void {
    for (const { offset, failed } of this.claims.splice(0)) if (failed.isFinished) this.done.add(offset);
  }

  private outcomeOf(pending: Pending, stopped: Map<string, Pending>): Outcome {
    const { offset } = pending;
    const luck = this.random.unit();
    if (luck < 0.1) {
      stopped.set(this.laneOf(offset), pending);
      return { status: "retry", reason: "not now", ...(luck < 0.03 ? { delayMs: 30 } : {}) };
    }
    this.decided.push(offset);
    if (luck < 0.13) return { status: "reject", reason: "never" };
    this.done.add(offset);
    return madeOfIt;
  }
}

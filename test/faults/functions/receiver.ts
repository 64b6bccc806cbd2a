/**
 * Stands for what a group's functions do outside: it works through a call in its own time, which no
 * end of the object stops before the call's deadline, and notes what it was called for and when.
 */
import type { Invocation, InvocationResult, Outcome } from "../../../src/functions/function.ts";
import type { Random } from "../random.ts";
import type { Scheduler } from "../scheduler.ts";
import type { Decision, Happening, ReceivedCall, ReceivedRecord } from "./history.ts";

/** How often a function fails, per record, and for everything. */
export interface Temper {
  readonly retries: number;
  readonly refusals: number;
  readonly silences: number;
  readonly failures: number;
  readonly hangs: number;
  readonly typicalMs: number;
}

export const calmTemper: Temper = {
  retries: 0,
  refusals: 0,
  silences: 0,
  failures: 0,
  hangs: 0,
  typicalMs: 5,
};

export class Receiver {
  readonly history: Happening[] = [];
  readonly violations: string[] = [];
  /** For how long a function is away for everything. */
  readonly awayUntil = new Map<string, number>();
  /** Nothing may be called behind this moment, while it is there. */
  pausedSince: number | undefined;
  temper: Temper;
  readonly #random: Random;
  readonly #scheduler: Scheduler;
  readonly #laneOf: (name: string, record: ReceivedRecord) => string;
  /** When the last call of a lane ends. */
  readonly #busy = new Map<string, number>();

  /** @param laneOf what must not be called twice at a time */
  constructor(
    scheduler: Scheduler,
    random: Random,
    temper: Temper,
    laneOf: (name: string, record: ReceivedRecord) => string,
  ) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.temper = temper;
    this.#laneOf = laneOf;
  }

  get calls(): ReceivedCall[] {
    return this.history.filter((happening) => happening.kind === "call");
  }

  get decisions(): Decision[] {
    return this.history.filter((happening) => happening.kind === "decision");
  }

  /** The object has lost its storage, and with it what it knew of calls under way and of a pause. */
  wiped(): void {
    this.history.push({ kind: "wiped", at: this.#scheduler.now });
    this.pausedSince = undefined;
    this.#busy.clear();
  }

  /** Called by the object; the answer comes in virtual time, and is nothing to an object that is gone. */
  invoke({ function: name, records, deadline }: Invocation): Promise<InvocationResult> {
    const beganAt = this.#scheduler.now;
    const received = records.map(({ offset, key, id, attempt }) => ({ offset, key, id, attempt }));
    this.history.push({ kind: "call", function: name, at: beganAt, records: received });
    if (beganAt > (this.pausedSince ?? Number.POSITIVE_INFINITY))
      this.violations.push(`${name} is called while it is paused, at ${beganAt}`);
    const isHanging = this.#random.chance(this.temper.hangs);
    const takesMs = this.#random.delay(this.temper.typicalMs);
    const endsAt = Math.min(deadline, isHanging ? deadline : beganAt + takesMs);
    this.#occupy(name, received, beganAt, endsAt);
    return new Promise((resolve, reject) => {
      if (isHanging) return;
      this.#scheduler.after(endsAt - beganAt, () => this.#answer(name, received, resolve, reject));
    });
  }

  #occupy(name: string, records: readonly ReceivedRecord[], beganAt: number, endsAt: number): void {
    const lanes = new Set(records.map((record) => `${name} ${this.#laneOf(name, record)}`));
    for (const lane of lanes) {
      const until = this.#busy.get(lane) ?? 0;
      if (until > beganAt) this.violations.push(`two calls of ${lane} at a time, at ${beganAt}`);
      this.#busy.set(lane, endsAt);
    }
  }

  #answer(
    name: string,
    records: readonly ReceivedRecord[],
    resolve: (result: InvocationResult) => void,
    reject: (error: Error) => void,
  ): void {
    const isAway = (this.awayUntil.get(name) ?? 0) > this.#scheduler.now;
    if (isAway || this.#random.chance(this.temper.failures)) {
      if (this.#random.chance(0.5)) return reject(new Error("it throws"));
      return resolve({ outcomes: [], failure: { reason: "it is away" } });
    }
    const stopped = new Set<string>();
    const outcomes = records.map((record): Outcome | undefined => {
      const lane = this.#laneOf(name, record);
      if (stopped.has(lane))
        return this.#random.chance(0.5) ? { status: "retry", reason: "later" } : undefined;
      const outcome = this.#decide(name, record);
      if (outcome?.status !== "done" && outcome?.status !== "reject") stopped.add(lane);
      return outcome;
    });
    resolve({ outcomes });
  }

  #decide(name: string, record: ReceivedRecord): Outcome | undefined {
    const { refusals, retries, silences } = this.temper;
    if (this.#random.chance(retries)) return { status: "retry", reason: "not now" };
    if (this.#random.chance(silences)) return undefined;
    const isRefused = this.#random.chance(refusals);
    const verdict = isRefused ? "refused" : "done";
    this.history.push({ kind: "decision", ...record, function: name, at: this.#scheduler.now, verdict });
    if (isRefused) return { status: "reject", reason: "never" };
    const data = { of: record.offset };
    return { status: "done", outputs: [{ topic: "validated", type: "sim.made.v1", data }] };
  }
}

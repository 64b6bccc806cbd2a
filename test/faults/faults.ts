/**
 * The faults that the simulation injects, how likely each is in a run, and how often each happened.
 */
import type { Random } from "./random.ts";

export const faultNames = [
  "push dropped",
  "push repeated",
  "push late",
  "push out of order",
  "pushes overlapping in time",
  "pushes overlapping in content",
  "write never pushed",
  "event sent twice",
  "gap in offsets",
  "trailing markers",
  "transaction committed",
  "transaction aborted",
  "compaction",
  "retention",
  "topic made again",
  "end told too early",
  "log that tells nothing",
  "fetch failed",
  "fetch timed out",
  "offsets failed",
  "produce refused",
  "produce failed in part",
  "produce timed out without effect",
  "produce timed out after effect",
  "produce timed out after part of its effect",
  "produce landed after its time-out",
  "produce landed after a crash",
  "produce lost in a crash",
  "crash while waiting",
  "crash before a commit",
  "crash after a commit",
  "crash while starting",
  "wipe",
] as const;

export type Fault = (typeof faultNames)[number];
export type FaultCounts = Record<Fault, number>;

export function noFaults(): FaultCounts {
  const counts: Partial<FaultCounts> = {};
  for (const name of faultNames) counts[name] = 0;
  return counts as FaultCounts;
}

export function addFaults(total: FaultCounts, more: FaultCounts): void {
  for (const name of faultNames) total[name] += more[name];
}

/** Probabilities per opportunity, or steps between crashes; each run draws its own. */
export interface FaultPlan {
  readonly push: number;
  readonly fetch: number;
  readonly produce: number;
  readonly gap: number;
  /** How often the log's end is told too low, as by a leader after a failover. */
  readonly lag: number;
  /** How often other users of the log do something. */
  readonly acts: number;
  /** Whether the log deletes from its start, also what was not read. */
  readonly retention: boolean;
  /** Whether a topic is deleted and made again. */
  readonly remakes: boolean;
  /** Whether the log tells topic ids, its start and where to read on. */
  readonly tells: boolean;
  /** Mean number of an object's steps from one crash to the next. */
  readonly stepsToCrash: number;
  /** How many of the crashes lose the storage as well. */
  readonly wipe: number;
  /** Typical latency of the log in milliseconds. */
  readonly latency: number;
}

/** Runs differ in kind as well as in luck: some are nearly calm, some crash all the time. */
export function drawPlan(random: Random): FaultPlan {
  const tells = random.chance(0.8);
  const remakes = tells && random.chance(0.1);
  const retention = !remakes && random.chance(0.25);
  return {
    tells,
    remakes,
    retention,
    lag: tells ? random.pick([0, 0.1]) : 0,
    acts: retention ? random.pick([8, 20]) : random.pick([0, 4, 12]),
    push: random.pick([0.02, 0.15, 0.4]),
    fetch: random.pick([0, 0.05, 0.3]),
    produce: random.pick([0, 0.1, 0.3, 0.5]),
    gap: random.pick([0, 0.02, 0.1]),
    stepsToCrash: random.pick([150, 600, 3_000]),
    wipe: random.pick([0.1, 0.3]),
    latency: random.pick([2, 10, 60]),
  };
}

/** A plan in which nothing ever fails. */
export const calmPlan: FaultPlan = {
  push: 0,
  fetch: 0,
  produce: 0,
  gap: 0,
  lag: 0,
  acts: 0,
  retention: false,
  remakes: false,
  tells: true,
  stepsToCrash: Number.MAX_SAFE_INTEGER / 4,
  wipe: 0,
  latency: 1,
};

/** Says of each opportunity whether the fault happens there, and counts those that do. */
export class Faults {
  readonly counts = noFaults();
  readonly plan: FaultPlan;
  readonly random: Random;
  #on: boolean;
  #stepsLeft: number;
  #keepsStorage = false;

  constructor(plan: FaultPlan, random: Random, on = true) {
    this.plan = plan;
    this.random = random;
    this.#on = on;
    this.#stepsLeft = this.#drawSteps();
  }

  get on(): boolean {
    return this.#on;
  }

  /** From here on nothing fails any more. */
  stop(): void {
    this.#on = false;
  }

  /** From here on crashes take the memory alone. */
  keepStorage(): void {
    this.#keepsStorage = true;
  }

  chance(of: "push" | "fetch" | "produce" | "gap" | "lag" | "wipe"): boolean {
    if (of === "wipe" && this.#keepsStorage) return false;
    return this.#on && this.random.chance(this.plan[of]);
  }

  /** Whether the object crashes at this one of its steps. */
  crashes(): boolean {
    if (!this.#on) return false;
    this.#stepsLeft -= 1;
    if (this.#stepsLeft > 0) return false;
    this.#stepsLeft = this.#drawSteps();
    return true;
  }

  count(fault: Fault): void {
    this.counts[fault] += 1;
  }

  #drawSteps(): number {
    return this.random.integer(1, 2 * this.plan.stepsToCrash);
  }
}

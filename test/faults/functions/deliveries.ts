import { header } from "../plain-decoding.ts";
import type { Change, Decision, Happening, ReceivedCall } from "./history.ts";
import { topic } from "./names.ts";
import { deadLettersOf, gapsOf, type ToldGap } from "./outputs.ts";
import { type FunctionRun, laneOf } from "./simulation.ts";

/** What one function owes for one record, as far as that can be told from outside. */
export interface Owed {
  readonly offset: number;
  readonly lane: Lane;
  /** The record that it repeats, if it does. */
  readonly original: number | undefined;
  /** It is to be called for: it repeats nothing, and is of a type that is selected. */
  readonly isWanted: boolean;
  /** When it ended as a dead letter, each time. */
  readonly ends: number[];
  /** It was called, and the last call of it said that it is done. */
  doneAt: number | undefined;
  /** Dead letters from then on count. */
  countsFrom: number;
  /** A dead letter of before forbids no call. */
  mayComeUntil: number;
  /** How often it may have been taken back to be called for again. */
  again: number;
  /** Left out by a seek, unless it was parked. */
  isPassed: boolean;
  /** Taken back: it comes out of turn. */
  isRedriven: boolean;
  /** Those behind it that were under way when it was taken back, and go before it. */
  before: ReadonlySet<number>;
  /** Where in the history it was called last. */
  calledAt: number;
}

interface Lane {
  readonly name: string;
  /** In offset order. */
  readonly records: Owed[];
  /** First offset of the call before; a later call begins no earlier. */
  lastFirst: number;
}

const nobody: ReadonlySet<number> = new Set();

/**
 * Follows the calls of one function through a run. Of a lane no record is called before all in front
 * of it are done or dead letters, as their last calls have it; none comes again once one behind it
 * was called alone; and none that is a dead letter. What an operator changes, or a wipe, is taken
 * over as it happens, and while it goes on nothing is judged that it may have changed already.
 */
export class Deliveries {
  readonly problems: string[] = [];
  readonly owed = new Map<number, Owed>();
  readonly gaps: readonly ToldGap[];
  readonly #name: string;
  readonly #lanes = new Map<string, Lane>();
  /** Behind the last wipe: dead letters that were not sent before it are known to nobody. */
  readonly #judgesFrom: number;
  #index = 0;
  #isSeeking = false;

  constructor(run: FunctionRun, name: string) {
    this.#name = name;
    this.gaps = gapsOf(run);
    const nameOf = laneOf(run.functions);
    for (const record of run.log.history(topic)) {
      const { offset } = record;
      const laneName = nameOf(name, record);
      const lane = this.#lanes.get(laneName) ?? { name: `${name} ${laneName}`, records: [], lastFirst: -1 };
      this.#lanes.set(laneName, lane);
      const original = run.repetitions.get(offset);
      const isWanted = header(record, "ce_type") !== "sim.unwanted.v1" && original === undefined;
      const owed: Owed = { ...nothingDone, offset, lane, original, isWanted, ends: [] };
      lane.records.push(owed);
      this.owed.set(offset, owed);
    }
    for (const letter of deadLettersOf(run))
      if (letter.function === name) this.owed.get(letter.offset)?.ends.push(letter.at);
    const { history } = run.receiver;
    this.#judgesFrom = history.findLastIndex(({ kind }) => kind === "wiped") + 1;
    for (const happening of history) this.#follow(happening);
  }

  #follow(happening: Happening): void {
    this.#index += 1;
    switch (happening.kind) {
      case "call":
        if (happening.function === this.#name) this.#called(happening);
        return;
      case "decision":
        if (happening.function === this.#name) this.#decided(happening);
        return;
      case "change began":
        if (happening.change.kind === "seek") this.#isSeeking = true;
        else this.#toldDead(happening.change);
        return;
      case "change ended":
        this.#isSeeking = false;
        if (happening.change.kind === "seek") this.#sought(happening.change, happening.at);
        else this.#redriven(happening.change, happening.began, happening.at);
        return;
      case "wiped":
        for (const owed of this.owed.values()) comesAgain(owed, happening.at);
        this.#beginAnew();
        return;
    }
  }

  #of({ entries }: Pick<Extract<Change, { kind: "redrive" }>, "entries">): Owed[] {
    return entries.flatMap((entry) =>
      entry.function === this.#name ? (this.owed.get(entry.offset) ?? []) : [],
    );
  }

  /** What an operator is told to be dead, and wants back. */
  #toldDead(change: Pick<Extract<Change, { kind: "redrive" }>, "entries">): void {
    for (const { endedAt, function: name, offset } of change.entries)
      if (name === this.#name && endedAt < (this.owed.get(offset)?.countsFrom ?? 0))
        this.problems.push(`${name}: ${offset} comes again, and is still told to be a dead letter`);
    for (const owed of this.#of(change)) mayBeTakenBack(owed);
  }

  #called({ at, records }: ReceivedCall): void {
    const called = records.flatMap(({ offset }) => this.owed.get(offset) ?? []);
    if (!this.#isSeeking) {
      for (const [lane, members] of Map.groupBy(called, (owed) => owed.lane))
        this.#checkLane(lane, members, at);
      for (const owed of called)
        if (owed.ends.some((end) => end < at && end > owed.mayComeUntil))
          this.problems.push(`${this.#name}: ${owed.offset} is called after it was a dead letter`);
    }
    for (const owed of called) {
      owed.doneAt = undefined;
      owed.isPassed = false;
      owed.calledAt = this.#index;
    }
  }

  #checkLane(lane: Lane, members: readonly Owed[], at: number): void {
    const offsets = members.map(({ offset }) => offset);
    if (offsets.some((offset, index) => offset <= (offsets[index - 1] ?? -1)))
      this.problems.push(`${lane.name}: a call has ${offsets.join(", ")}`);
    const first = members.find(({ isRedriven }) => !isRedriven)?.offset;
    if (first !== undefined) {
      if (first < lane.lastFirst)
        this.problems.push(`${lane.name}: ${first} comes again behind ${lane.lastFirst}, at ${at}`);
      lane.lastFirst = first;
    }
    if (this.#index > this.#judgesFrom) this.#checkFront(lane, offsets, at);
  }

  #checkFront(lane: Lane, offsets: readonly number[], at: number): void {
    const last = Math.max(...offsets);
    for (const owed of lane.records) {
      if (owed.offset >= last) break;
      if (offsets.includes(owed.offset) || !this.#isHeldUpBy(owed, at)) continue;
      if (offsets.every((offset) => offset < owed.offset || owed.before.has(offset))) continue;
      this.problems.push(`${lane.name}: ${last} is called before ${owed.offset} has ended, at ${at}`);
    }
  }

  /** Whether those behind it have to wait for it. */
  #isHeldUpBy(owed: Owed, at: number): boolean {
    return owed.isWanted && !owed.isPassed && !isOver(owed, at) && !this.isLost(owed, at);
  }

  isLost({ offset }: Owed, at: number): boolean {
    return this.gaps.some((gap) => gap.from <= offset && offset < gap.to && gap.at <= at);
  }

  #decided({ at, offset, verdict }: Decision): void {
    const owed = this.owed.get(offset);
    if (owed !== undefined && verdict === "done") owed.doneAt = at;
  }

  #sought({ answer, offset }: Extract<Change, { kind: "seek" }>, at: number): void {
    if (answer === "failed" || (typeof answer === "object" && answer.kind !== "done")) return;
    this.#beginAnew();
    const isSure = answer !== "unknown";
    const { from, to } = answer === "unknown" ? { from: 0, to: offset } : answer;
    for (const owed of this.owed.values()) {
      if (owed.offset < to) owed.isPassed ||= owed.offset >= from;
      else if (isSure) comesAgain(owed, at);
      else mayComeAgain(owed, at);
    }
  }

  #redriven(change: Extract<Change, { kind: "redrive" }>, began: number, at: number): void {
    const { answer, entries } = change;
    for (const owed of this.#of(change)) {
      owed.mayComeUntil = at;
      owed.isRedriven = answer !== "failed" && answer !== 0;
      if (!owed.isRedriven) continue;
      mayComeAgain(owed, at);
      if (answer !== entries.length) continue;
      owed.countsFrom = began;
      if (owed.doneAt !== undefined && owed.doneAt < began) owed.doneAt = undefined;
      const { lane, offset } = owed;
      const underWay = lane.records.filter(
        (other) => other.offset > offset && other.calledAt > 0 && !isOver(other, at),
      );
      owed.before = new Set(underWay.map((other) => other.offset));
    }
  }

  #beginAnew(): void {
    for (const lane of this.#lanes.values()) lane.lastFirst = -1;
  }
}

const nothingDone: Omit<Owed, "offset" | "lane" | "original" | "isWanted" | "ends"> = {
  doneAt: undefined,
  countsFrom: Number.NEGATIVE_INFINITY,
  mayComeUntil: Number.NEGATIVE_INFINITY,
  again: 0,
  isPassed: false,
  isRedriven: false,
  before: nobody,
  calledAt: 0,
};

export function isOver({ countsFrom, doneAt, ends }: Owed, at = Number.POSITIVE_INFINITY): boolean {
  return doneAt !== undefined || ends.some((end) => end >= countsFrom && end <= at);
}

/** At any moment from now on. */
function mayBeTakenBack(owed: Owed): void {
  owed.mayComeUntil = Number.POSITIVE_INFINITY;
  owed.isRedriven = true;
}

function mayComeAgain(owed: Owed, at: number): void {
  owed.mayComeUntil = at;
  owed.again += 1;
}

function comesAgain(owed: Owed, at: number): void {
  const again = owed.again + 1;
  Object.assign(owed, nothingDone, { countsFrom: at, mayComeUntil: at, again });
}

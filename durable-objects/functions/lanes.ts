import { firstNotBefore } from "../../src/lib/sorted.ts";
import type { Pending } from "./pending.ts";

/** What one call may carry. */
export interface CallLimits {
  readonly count: number;
  readonly characters: number;
  readonly waitMs: number;
  readonly mixesKeys: boolean;
  /** A record that has so many attempts is called alone. */
  readonly attempts: number;
}

interface Lane {
  readonly name: string;
  /** In offset order; those in flight are at its front. */
  readonly queue: Pending[];
  isBusy: boolean;
}

/**
 * What waits to be called, in lanes. Order: a lane is busy from the moment that records of it are
 * taken until all of them are given back, and what is taken is its front; so calls of one lane
 * never overlap, and follow offset order. A lane whose front waits for its retry waits as a whole,
 * and holds up no other.
 */
export class Lanes {
  private readonly lanes = new Map<string, Lane>();
  /** Neither busy nor waiting, in the order in which they became so. */
  private readonly ready = new Set<Lane>();
  /** Their front waits for its time. */
  private readonly waiting = new Set<Lane>();
  private soonest = Number.POSITIVE_INFINITY;
  private count = 0;
  private characters = 0;

  /** Records that wait or are in flight. */
  get size(): number {
    return this.count;
  }

  add(pending: Pending, now: number): void {
    let lane = this.lanes.get(pending.lane);
    if (lane === undefined) {
      lane = { name: pending.lane, queue: [], isBusy: false };
      this.lanes.set(pending.lane, lane);
    }
    this.count += 1;
    this.characters += pending.characters;
    const { queue } = lane;
    if ((queue.at(-1)?.offset ?? -1) < pending.offset) queue.push(pending);
    else queue.splice(this.placeOf(queue, pending), 0, pending);
    if (!lane.isBusy && queue[0] === pending) this.place(lane, now);
  }

  /** One that was taken back is older than what waits, but never goes before what is in flight. */
  private placeOf(queue: readonly Pending[], pending: Pending): number {
    const place = firstNotBefore(queue, pending, (left, right) => left.offset < right.offset);
    const inFlight = queue.findLastIndex(({ isInFlight }) => isInFlight) + 1;
    return Math.max(place, inFlight);
  }

  /**
   * Takes what one call carries, in offset order; nothing while it may wait for company. A record that
   * has failed on its own account is parked and is called alone; one that was in flight when the object
   * ended comes with half as many others each time, since one of them may have been the cause.
   */
  take(limits: CallLimits, now: number): Pending[] {
    this.wake(now);
    const taken: Pending[] = [];
    let { count, characters } = limits;
    if (this.shouldWait(limits, now)) return taken;
    for (const lane of this.ready) {
      const [first] = lane.queue;
      if (first === undefined) continue;
      const mayCome = companyOf(limits, first);
      if (taken.length > 0 && taken.length >= Math.min(count, mayCome)) continue;
      count = Math.min(count, mayCome);
      for (const pending of lane.queue) {
        const isFirst = taken.length === 0;
        if (pending !== first) count = Math.min(count, companyOf(limits, pending));
        if (!isFirst && (taken.length >= count || pending.characters > characters)) break;
        if (pending !== first && pending.notBefore > now) break;
        characters -= pending.characters;
        taken.push(pending);
        pending.isInFlight = true;
      }
      if (!first.isInFlight) continue;
      lane.isBusy = true;
      this.ready.delete(lane);
      if (!limits.mixesKeys || taken.length >= count) break;
    }
    return taken.sort((left, right) => left.offset - right.offset);
  }

  /** Takes one record alone, if its lane may be called and it is at the front. */
  takeAlone(pending: Pending): boolean {
    const lane = this.lanes.get(pending.lane);
    if (lane === undefined || lane.queue[0] !== pending || !this.ready.delete(lane)) return false;
    pending.isInFlight = true;
    lane.isBusy = true;
    return true;
  }

  private shouldWait({ count, characters, waitMs, mixesKeys }: CallLimits, now: number): boolean {
    if (waitMs === 0) return false;
    const first = this.firstReady;
    if (first === undefined) return true;
    if (first.attempts > 0 || now >= first.admittedAt + waitMs) return false;
    if (mixesKeys) return this.count < count && this.characters < characters;
    const { queue } = this.lanes.get(first.lane) ?? { queue: [] };
    return queue.length < count && charactersOf(queue) < characters;
  }

  private get firstReady(): Pending | undefined {
    for (const lane of this.ready) return lane.queue[0];
    return undefined;
  }

  get laneCount(): number {
    return this.lanes.size;
  }

  /** Lanes that may be called at a time, counted up to `most`. */
  countCallable(at: number, most: number): number {
    let count = this.ready.size;
    if (count >= most) return count;
    for (const { queue } of this.waiting) {
      if ((queue[0]?.notBefore ?? 0) <= at) count += 1;
      if (count >= most) break;
    }
    return count;
  }

  /** Whether a lane is neither busy nor waiting. */
  get hasReady(): boolean {
    return this.ready.size > 0;
  }

  /** Takes a finished record out, which was its lane's front as a rule. */
  remove(pending: Pending): void {
    const lane = this.lanes.get(pending.lane);
    const index = lane?.queue.indexOf(pending) ?? -1;
    if (lane === undefined || index < 0) return;
    this.count -= 1;
    this.characters -= pending.characters;
    lane.queue.splice(index, 1);
    if (lane.queue.length > 0) return;
    this.lanes.delete(lane.name);
    this.ready.delete(lane);
    this.waiting.delete(lane);
  }

  /** The call that had them is over: their lanes go on with what is then at their front. */
  giveBack(taken: readonly Pending[], now: number): void {
    for (const pending of taken) pending.isInFlight = false;
    for (const { lane: name } of taken) {
      const lane = this.lanes.get(name);
      if (lane === undefined || !lane.isBusy) continue;
      lane.isBusy = false;
      this.place(lane, now);
    }
  }

  /** Looks again at when a lane that has no call under way may be called. */
  reconsider({ lane: name }: Pick<Pending, "lane">, now: number): void {
    const lane = this.lanes.get(name);
    if (lane !== undefined && !lane.isBusy) this.place(lane, now);
  }

  private place(lane: Lane, now: number): void {
    const due = lane.queue[0]?.notBefore ?? 0;
    if (due > now) {
      this.ready.delete(lane);
      this.waiting.add(lane);
      this.soonest = Math.min(this.soonest, due);
    } else {
      this.waiting.delete(lane);
      this.ready.add(lane);
    }
  }

  private wake(now: number): void {
    if (now < this.soonest) return;
    this.soonest = Number.POSITIVE_INFINITY;
    for (const lane of this.waiting) this.place(lane, now);
  }

  /** Whether a lane's records wait for a call that is under way or for a retry. */
  isBlocked({ lane: name }: Pending): boolean {
    const lane = this.lanes.get(name);
    return lane !== undefined && !this.ready.has(lane);
  }

  /** When something may be called next, in milliseconds since the epoch; null where nothing waits. */
  nextDue({ waitMs }: CallLimits, now: number): number | null {
    const first = this.firstReady;
    const company = first === undefined ? Number.POSITIVE_INFINITY : Math.max(now, first.admittedAt + waitMs);
    const due = Math.min(company, this.soonest);
    return due === Number.POSITIVE_INFINITY ? null : due;
  }
}

function charactersOf(records: readonly Pending[]): number {
  return records.reduce((sum, { characters }) => sum + characters, 0);
}

/** How many one call may carry with it in it: half as many behind each that failed as a whole or ended the object. */
function companyOf(limits: CallLimits, pending: Pending): number {
  if (isAloneIn(limits, pending)) return 1;
  const halved = limits.count >>> Math.min(31, pending.attempts);
  return Math.max(1, Math.min(halved, pending.company ?? halved));
}

/**
 * It has failed on its own account, or its calls ended the object: others were parked only since they
 * had to wait.
 */
function isAloneIn(limits: CallLimits, { attempts, isParked }: Pending): boolean {
  return (isParked && attempts > 0) || attempts >= limits.attempts;
}

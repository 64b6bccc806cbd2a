import type { InstanceId } from "../groups.ts";
import { type EventLog, LogFailure } from "../log.ts";
import { type Coordinator, type Member, StaleMembership, type Subscription } from "./coordinator.ts";
import { findPositions, type Position, positionKey, resetPositions, toCommitted } from "./positions.ts";
import { pause, settlesWithin } from "./wait.ts";

const REJOIN_PAUSE_MS = 50;

export interface MembershipOptions {
  readonly id: InstanceId;
  readonly log: Pick<EventLog, "read" | "offsets">;
  readonly coordinator: Coordinator;
  readonly subscription: Subscription;
  /** Called once, when this copy no longer acts as the instance. */
  readonly onEnd: () => void;
}

/**
 * This copy's membership of one instance: its partitions and where it stands in each.
 *
 * A rebalance ends a generation: `over` aborts, which ends a wait for records, and a join begins.
 * What is written is bound to the generation, by the coordinator's fencing, so that records read
 * for a partition that has gone to another instance meanwhile are never handed out.
 */
export class Membership {
  readonly id: InstanceId;
  readonly #options: MembershipOptions;
  readonly #member: Member;
  #subscription: Subscription;
  #positions = new Map<string, Position>();
  #over = new AbortController();
  #joining: Promise<void> | null = null;
  #failure: unknown;
  #joined = false;
  #ended = false;
  /** What was handed out and not committed of partitions that went to others. */
  #lostUncommitted = false;
  /** Commits go out one after the other, each made from the state that the one before left. */
  #writes: Promise<unknown> = Promise.resolve();

  constructor(options: MembershipOptions) {
    this.id = options.id;
    this.#options = options;
    this.#subscription = options.subscription;
    this.#member = options.coordinator.member(options.id);
    this.rejoin();
  }

  get subscription(): Subscription {
    return this.#subscription;
  }

  get ended(): boolean {
    return this.#ended;
  }

  get joined(): boolean {
    return this.#joined;
  }

  get generation(): number {
    return this.#member.generation;
  }

  /** Aborts with the generation. */
  get over(): AbortSignal {
    return this.#over.signal;
  }

  get positions(): readonly Position[] {
    return [...this.#positions.values()];
  }

  get lostUncommitted(): boolean {
    return this.#lostUncommitted;
  }

  forgetLost(): void {
    this.#lostUncommitted = false;
  }

  position(partition: { readonly topic: string; readonly partition: number }): Position | undefined {
    return this.#positions.get(positionKey(partition));
  }

  subscribe(topics: readonly string[]): void {
    if (topics.join() === this.#subscription.topics.join()) return;
    this.#subscription = { ...this.#subscription, topics };
    this.rejoin();
  }

  /** Whether the group has joined by then; false also where this copy has lost the instance. */
  async ready(ms: number, signal?: AbortSignal): Promise<boolean> {
    if (this.#joining !== null) {
      const until = performance.now() + ms;
      // A join may follow on a join, when another member comes meanwhile.
      while (this.#joining !== null) {
        if (!(await settlesWithin(this.#joining, until - performance.now(), signal))) return false;
      }
    }
    if (this.#failure instanceof LogFailure) throw this.#failure;
    return this.#joined;
  }

  /** Whether this copy still acts as the instance. @throws {LogFailure} when that cannot be known. */
  async confirm(): Promise<boolean> {
    if (this.#joined) await this.#unlessStale(() => this.#member.heartbeat());
    return !this.#ended;
  }

  /**
   * Writes positions that `change` makes of the present ones, and takes them over when they are
   * durable; false when the generation has passed. @throws {LogFailure}
   */
  async write(over: AbortSignal, change: () => readonly Position[]): Promise<boolean> {
    const written = this.#writes.then(async () => {
      if (over.aborted || !this.#joined) return false;
      const changed = change();
      if (changed.length === 0) return true;
      const offsets = changed.map((position) => toCommitted(position, this.id.instance));
      if (!(await this.#unlessStale(() => this.#member.commit(offsets))) || over.aborted) return false;
      for (const position of changed) this.#positions.set(positionKey(position), position);
      return true;
    });
    this.#writes = written.catch(() => undefined);
    return written;
  }

  /** Moves positions whose records the log no longer has. @throws {LogFailure} */
  async reset(over: AbortSignal, gone: readonly Position[]): Promise<void> {
    const moved = gone.map((position) => ({ ...position, generation: this.generation }));
    await resetPositions(this.#options.log, moved, this.#subscription.settings.offsetReset);
    await this.write(over, () => moved);
  }

  rejoin(): void {
    if (this.#ended || this.#joining !== null) return;
    this.#over.abort();
    this.#over = new AbortController();
    this.#joined = false;
    this.#joining = this.#join().finally(() => (this.#joining = null));
  }

  /** Leaves the group. */
  async leave(): Promise<void> {
    this.end();
    await this.#leaveQuietly();
  }

  /** Lets go of the instance, which stays in its group until its session times out. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#joined = false;
    this.#over.abort();
    this.#member.close();
    this.#options.onEnd();
  }

  /** Never rejects: `ready` tells of a failure. */
  async #join(): Promise<void> {
    let subscribed: Subscription | null = null;
    while (!this.#ended && subscribed?.topics.join() !== this.#subscription.topics.join()) {
      const wanted = this.#subscription;
      try {
        await this.#begin(wanted);
        subscribed = wanted;
      } catch (error) {
        // Another member came or went while this one joined.
        if (error instanceof StaleMembership && error.reason === "rebalancing") {
          await pause(REJOIN_PAUSE_MS, this.over);
        } else {
          await this.#fail(error);
        }
      }
    }
  }

  async #begin(subscription: Subscription): Promise<void> {
    const { log, coordinator } = this.#options;
    const partitions = await this.#member.join(subscription);
    const { generation } = this.#member;
    const kept = await coordinator.committed(this.id.group, partitions);
    const { offsetReset } = subscription.settings;
    const { positions, begun } = await findPositions(log, this.id, kept, offsetReset, generation);
    // Kept at once: another copy of the bridge then begins at the same place, wherever the end is.
    if (begun.length > 0) {
      await this.#member.commit(begun.map((position) => toCommitted(position, this.id.instance)));
    }
    if (this.#ended) return;
    const before = this.positions;
    this.#positions = new Map(positions.map((position) => [positionKey(position), position]));
    this.#lostUncommitted ||= before.some(
      (position) => position.next !== position.committed && this.position(position) === undefined,
    );
    this.#joined = true;
  }

  /** An instance that may not begin leaves its group: it would keep partitions that nobody reads. */
  async #fail(error: unknown): Promise<void> {
    this.#failure =
      error instanceof LogFailure || error instanceof StaleMembership
        ? error
        : new LogFailure("unavailable", "none", "the group cannot be joined", error);
    const refused = error instanceof LogFailure && error.code === "refused";
    this.end();
    if (refused) await this.#leaveQuietly();
  }

  /** Where the group cannot be told, the session times out there. */
  async #leaveQuietly(): Promise<void> {
    try {
      await this.#member.leave();
    } catch (error) {
      if (!(error instanceof StaleMembership || error instanceof LogFailure)) throw error;
    }
  }

  /** False when the membership is stale: it joins again, or ends where another copy has taken it. */
  async #unlessStale(action: () => Promise<void>): Promise<boolean> {
    try {
      await action();
      return true;
    } catch (error) {
      if (!(error instanceof StaleMembership)) throw error;
      if (error.reason === "rebalancing") this.rejoin();
      else this.end();
      return false;
    }
  }
}

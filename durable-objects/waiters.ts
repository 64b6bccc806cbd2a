import type { Outcome } from "../src/auction/events.ts";
import { GenerationalCache } from "../src/lib/generational-cache.ts";
import type { Clock } from "../src/lib/clock.ts";

type Topic = "items" | "journal";

interface PositionWaiter {
  readonly topic: Topic;
  readonly offset: number;
  readonly resolve: (reached: boolean) => void;
}

interface OutcomeWaiter {
  readonly topic: Topic;
  readonly offset: number;
  readonly resolve: (outcome: Outcome | undefined) => void;
}

const rememberedOutcomes = 4_096;

/** Callers that wait until a record has taken effect, or for what became of it. Memory only. */
export class Waiters {
  private readonly clock: Clock;
  private positions: PositionWaiter[] = [];
  private outcomeWaiters: OutcomeWaiter[] = [];
  private readonly outcomes: Record<Topic, GenerationalCache<number, Outcome>> = {
    items: new GenerationalCache(rememberedOutcomes),
    journal: new GenerationalCache(rememberedOutcomes),
  };

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Remembered for a while: the caller that asks may come after the record was applied. */
  tell(topic: Topic, offset: number, outcome: Outcome): void {
    this.outcomes[topic].set(offset, outcome);
    this.outcomes[topic].trim();
    if (this.outcomeWaiters.length === 0) return;
    this.outcomeWaiters = this.outcomeWaiters.filter((waiter) => {
      if (waiter.topic !== topic || waiter.offset !== offset) return true;
      waiter.resolve(outcome);
      return false;
    });
  }

  /** What became of a record, as soon as it is known; undefined when the time is up or everyone is released. */
  async outcomeWithin(topic: Topic, offset: number, milliseconds: number): Promise<Outcome | undefined> {
    const known = this.outcomes[topic].get(offset);
    if (known !== undefined) return known;
    const abort = new AbortController();
    const { promise: told, resolve } = Promise.withResolvers<Outcome | undefined>();
    const waiter = { topic, offset, resolve };
    this.outcomeWaiters.push(waiter);
    const late = this.clock.sleep(milliseconds, abort.signal).then(() => undefined);
    try {
      return await Promise.race([told, late]);
    } finally {
      abort.abort();
      this.outcomeWaiters = this.outcomeWaiters.filter((other) => other !== waiter);
    }
  }

  /** How many wait. */
  get size(): number {
    return this.positions.length + this.outcomeWaiters.length;
  }

  /** Resolves when the offset has taken effect (true), or when everyone is released (false). */
  reached(topic: Topic, offset: number): Promise<boolean> {
    return this.wait({ topic, offset }).reached;
  }

  private wait({ topic, offset }: Pick<PositionWaiter, "topic" | "offset">) {
    const { promise: reached, resolve } = Promise.withResolvers<boolean>();
    const waiter: PositionWaiter = { topic, offset, resolve };
    this.positions.push(waiter);
    return { waiter, reached };
  }

  /** The same, at most `milliseconds` long. */
  async reachedWithin(topic: Topic, offset: number, milliseconds: number): Promise<boolean> {
    const abort = new AbortController();
    const { waiter, reached } = this.wait({ topic, offset });
    const late = this.clock.sleep(milliseconds, abort.signal).then(() => false);
    try {
      return await Promise.race([reached, late]);
    } finally {
      abort.abort();
      // The offset may be one that never comes.
      this.positions = this.positions.filter((other) => other !== waiter);
    }
  }

  /** Positions moved: whoever waited for what lies before them goes on. */
  advance(journalPosition: number, itemsPosition: number): void {
    if (this.positions.length === 0) return;
    this.positions = this.positions.filter(({ topic, offset, resolve }) => {
      if (offset >= (topic === "journal" ? journalPosition : itemsPosition)) return true;
      resolve(true);
      return false;
    });
  }

  /** Nothing moves for now: nobody is kept waiting. */
  release(): void {
    const { positions, outcomeWaiters } = this;
    this.positions = [];
    this.outcomeWaiters = [];
    for (const { resolve } of positions) resolve(false);
    for (const { resolve } of outcomeWaiters) resolve(undefined);
  }
}

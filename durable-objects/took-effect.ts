import type { Clock } from "../src/lib/clock.ts";
import type { JournalState } from "./journal-state.ts";
import type { ReadTopic } from "./topic-identities.ts";
import type { Waiters } from "./waiters.ts";

/** What a wait for an effect looks at. */
export interface Effects {
  readonly clock: Clock;
  readonly journal: JournalState;
  readonly waiters: Waiters;
  /** First offset of a topic that has not taken effect. */
  positionAfter(topic: ReadTopic): number;
  catchUp(topic: ReadTopic): Promise<void>;
}

/**
 * Waits until a record has taken effect, at most `waitMs`: a bid that came ahead of its item does
 * when it is judged. Answers whether it has.
 */
export async function tookEffect(
  { topic, offset }: { readonly topic: ReadTopic; readonly offset: number },
  waitMs: number,
  effects: Effects,
): Promise<boolean> {
  const { clock, journal, waiters } = effects;
  const until = clock.now() + waitMs;
  if (offset >= effects.positionAfter(topic)) {
    const reached = waiters.reachedWithin(topic, offset, waitMs);
    void effects.catchUp(topic);
    if (!(await reached)) return false;
  }
  if (topic === "items" || !journal.store.waiting.has(offset)) return true;
  const judged = waiters.outcomeWithin("journal", offset, until - clock.now());
  void effects.catchUp("items");
  return (await judged) !== undefined;
}

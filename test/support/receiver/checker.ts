import type { ReceivedCall } from "./call.ts";
import { type LaneOrder, Lanes } from "./lanes.ts";
import { type DeadLetter, type ExpectedRecord, Places } from "./places.ts";

/** What a function should have got. */
export interface ExpectedDeliveries {
  readonly records: readonly ExpectedRecord[];
  /** Those that ended as dead letters. */
  readonly deadLetters?: readonly DeadLetter[];
  /** As the function declares it. */
  readonly order?: LaneOrder;
}

/** Beyond it violations are only counted: one fault may be in every delivery. */
const mostTold = 50;

/**
 * Whether a function's deliveries kept the word, judged from the receiver's history alone:
 * - per key (or partition) in offset order, and no two calls at once;
 * - no record behind one that is neither done nor ended;
 * - none missing, none that was not expected, none delivered after it was dead-lettered;
 * - one id per record, the same at each attempt, and attempts that never go back.
 *
 * Delivery is at least once: what came last may come again, in the same call or a smaller one,
 * since the answer to it may have been lost. What came before it may not.
 * @param history of one endpoint
 * @returns every violation, in plain words; none when all is well
 */
export function checkDeliveries(history: readonly ReceivedCall[], expected: ExpectedDeliveries): string[] {
  const violations: string[] = [];
  const tell = (violation: string): void => {
    violations.push(violation);
  };
  const calls = history.toSorted((left, right) => left.began - right.began);
  const places = new Places(expected.records, expected.deadLetters ?? [], tell);
  const known = calls.map((call) => places.readCall(call));
  const lanes = new Lanes(expected.order ?? "key", places, tell);
  for (const [index, call] of calls.entries()) lanes.follow(call, known[index] ?? []);
  places.checkEnds();
  const beyond = violations.length - mostTold;
  return beyond > 0 ? [...violations.slice(0, mostTold), `and ${beyond} more`] : violations;
}

import { covers } from "../../faults/covers.ts";
import { PlainModel } from "../../faults/plain-model.ts";
import { viewOf } from "../../faults/plain-views.ts";
import type { Evidence } from "./checker.ts";
import { isAcknowledged } from "./history.ts";

/** Compares what the API says of every item with what the plain model makes of the journal alone. */
export function stateViolations({ attempts, log, items }: Evidence): string[] {
  const models = log.journal.map((partition) => PlainModel.of(partition));
  const expected = new Map(
    models.flatMap((model) =>
      [...model.items.values()].map((item) => [item.opening.itemId, viewOf(item, model)] as const),
    ),
  );
  const violations: string[] = [];
  for (const [itemId, view] of expected) {
    const answer = items.get(itemId);
    if (covers(answer, view)) continue;
    violations.push(
      `${itemId} is answered as ${JSON.stringify(answer)}, and is ${JSON.stringify(view)} by the log`,
    );
  }
  for (const itemId of items.keys()) {
    if (!expected.has(itemId)) violations.push(`${itemId} is answered, and the log never opened it`);
  }
  for (const { event } of attempts.filter(isAcknowledged)) {
    const isListing = event.type === "gavel.item.listed.v1";
    if (isListing && !expected.has(event.data.itemId)) {
      violations.push(`${event.data.itemId} was listed by ${event.id}, and never opened`);
    }
  }
  return violations;
}

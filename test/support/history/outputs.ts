import { compareOutputs, withoutRepeats } from "../../faults/output-comparison.ts";
import { accepted } from "../../faults/plain-item.ts";
import { type OutputTopic, PlainModel } from "../../faults/plain-model.ts";
import type { LogRecord } from "../../../src/kafka/port.ts";
import type { WholeLog } from "./checker.ts";

/** Compares the output topics with what the plain model makes of the journal alone. */
export function outputViolations(log: WholeLog): string[] {
  return log.journal.flatMap((journal, partition) => {
    const model = PlainModel.of(journal);
    const recordsOf = (role: OutputTopic): readonly LogRecord[] => log[role][partition] ?? [];
    return [
      ...completionViolations(recordsOf("completed"), model),
      ...compareOutputs(model, recordsOf).map((difference) => `partition ${partition}: ${difference}`),
    ];
  });
}

/** In plain words what matters most to a bidder: an item is sold once, and to the highest. */
function completionViolations(records: readonly LogRecord[], model: PlainModel): string[] {
  const violations: string[] = [];
  const completed = Map.groupBy(withoutRepeats(records, []), ({ key }) => key);
  for (const [itemId, completions] of completed) {
    if (completions.length > 1) violations.push(`${itemId} completed ${completions.length} times`);
    const item = model.items.get(itemId);
    if (item === undefined) continue;
    const highest = Math.max(...accepted(item).map(({ amount }) => amount));
    for (const { value } of completions) {
      const { price } = JSON.parse(value) as { readonly price?: number };
      if (price !== undefined && price !== highest) {
        violations.push(`${itemId} was won at ${price}, and its highest bid is ${highest}`);
      }
    }
  }
  return violations;
}

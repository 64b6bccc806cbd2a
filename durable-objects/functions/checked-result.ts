import { isAllDone, resultOf } from "../../src/functions/batch.ts";
import type { InvocationResult, Outcome } from "../../src/functions/function.ts";

/** An output's data at most, as JSON in UTF-8: with its headers it is a record that Kafka takes by default (1 MiB). */
const maximumOutputBytes = 900_000;

/**
 * What a function answered, as it may be stored: whatever it is of, one function's answer must not be
 * what another's transaction fails by. A record whose outcome is none is tried again.
 * @param count of the records of the call
 */
export function checkedResult(told: unknown, count: number): InvocationResult {
  // Most calls are answered so, and need no look at more.
  if (isAllDone(told, count)) return told;
  const result = resultOf(told, count);
  return { ...result, outcomes: result.outcomes.map((outcome) => outcome && checkedOutcome(outcome)) };
}

function checkedOutcome(outcome: Outcome): Outcome {
  if (outcome.status !== "done" || outcome.outputs === undefined) return outcome;
  for (const { data } of outcome.outputs) {
    let text: string;
    try {
      text = JSON.stringify(data);
    } catch {
      return { status: "retry", reason: "the function's output is no JSON" };
    }
    const bytes = bytesOf(text);
    if (bytes > maximumOutputBytes)
      return {
        status: "reject",
        reason: `the function's output has ${bytes} bytes, and may have ${maximumOutputBytes}`,
      };
  }
  return outcome;
}

function bytesOf(text: string): number {
  // No character takes more than three bytes.
  return text.length * 3 <= maximumOutputBytes ? text.length : new TextEncoder().encode(text).length;
}

/** What a call says of one of its records: where it says nothing, another attempt. */
export function outcomeOf({ failure, outcomes }: InvocationResult, index: number): Outcome {
  const { reason = "the function did not answer for it", delayMs } = failure ?? {};
  return outcomes[index] ?? { status: "retry", reason, ...(delayMs === undefined ? {} : { delayMs }) };
}

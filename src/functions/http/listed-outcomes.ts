import { describeError } from "../../lib/log.ts";
import type { FunctionRecord, Outcome } from "../function.ts";
import { longestDelayMs } from "./retry-after.ts";

const longestReason = 200;
/** `user:password@` with all of its word before it; begun at a word's start alone, so that a long one costs no more. */
const credentials = /(?<!\S)[^\s:]*:\S*@/g;

/**
 * What the body of a 2xx says of each record, in the records' order: done, unless it is listed.
 *
 * Two forms are read, and may stand side by side: `{"results": [{"id" or "offset", "status",
 * "reason"?, "delayMs"?}]}`, and that of AWS Lambda, `{"batchItemFailures": [{"itemIdentifier"}]}`,
 * whose records are tried again. An entry that names no record of the call says that something
 * failed, and not what: everything that is not listed is then tried again, as AWS does, since the
 * alternative is to lose it in silence. Any other body is not meant for us: all is done.
 * @param body the answer's JSON, or anything else
 */
export function listedOutcomes(body: unknown, records: readonly FunctionRecord[]): Outcome[] {
  const entries = [...resultsIn(body), ...batchItemFailuresIn(body)];
  const indexOf = finder(records);
  const outcomes: (Outcome | undefined)[] = [];
  let rest: Outcome = { status: "done" };
  for (const { id, offset, outcome } of entries) {
    const index = indexOf(id, offset);
    if (index !== undefined) outcomes[index] = graver(outcomes[index], outcome);
    else if (outcome.status !== "done") rest = unknownRecord;
  }
  return records.map((_, index) => outcomes[index] ?? rest);
}

const unknownRecord: Outcome = {
  status: "retry",
  reason: "The endpoint lists a record that was not in the call",
};

interface Entry {
  readonly id?: unknown;
  readonly offset?: unknown;
  readonly outcome: Outcome;
}

function resultsIn(body: unknown): Entry[] {
  return listIn(body, "results").flatMap((entry) => {
    const { id, offset, ...rest } = membersOf(entry);
    const outcome = outcomeOf(rest);
    return outcome === undefined ? [] : [{ id, offset, outcome }];
  });
}

function batchItemFailuresIn(body: unknown): Entry[] {
  return listIn(body, "batchItemFailures").map((entry) => ({
    id: membersOf(entry).itemIdentifier,
    outcome: { status: "retry", reason: reasonOf(undefined, "retry") },
  }));
}

/** Undefined where the status is none of these: the list is about something else. */
function outcomeOf({ status, reason, delayMs }: Readonly<Record<string, unknown>>): Outcome | undefined {
  if (status === "done") return { status };
  if (status === "reject") return { status, reason: reasonOf(reason, status) };
  if (status !== "retry") return undefined;
  const told = reasonOf(reason, status);
  const isDelay = typeof delayMs === "number" && delayMs > 0;
  return { status, reason: told, ...(isDelay ? { delayMs: Math.min(delayMs, longestDelayMs) } : {}) };
}

/**
 * All that is kept of a body: whoever gives a reason wants it to be read with the dead letter. What it
 * quotes of a failure of its own may hold addresses and credentials, which are taken out.
 */
function reasonOf(given: unknown, status: "retry" | "reject"): string {
  const text = typeof given === "string" ? given.replaceAll(/[\p{Cc}\s]+/gu, " ").trim() : "";
  const told = describeError(text.replaceAll(credentials, "<credentials>@")).slice(0, longestReason);
  if (text !== "") return `The endpoint says: ${told.toWellFormed()}`;
  return status === "retry" ? "The endpoint asks for another attempt" : "The endpoint refuses the record";
}

/** Of two that are told of one record: a failure before a success, else the first. */
function graver(first: Outcome | undefined, second: Outcome): Outcome {
  return first === undefined || first.status === "done" ? second : first;
}

/** Finds a record by its id or, where there is none, by its offset, which may be a text. */
function finder(records: readonly FunctionRecord[]): (id: unknown, offset: unknown) => number | undefined {
  const ids = new Map<unknown, number>();
  const offsets = new Map<unknown, number | undefined>();
  for (const [index, { id, offset }] of records.entries()) {
    ids.set(id, index);
    // The same offset of two topics names neither.
    offsets.set(String(offset), offsets.has(String(offset)) ? undefined : index);
  }
  return (id, offset) => {
    if (id !== undefined) return ids.get(id);
    return offsets.get(typeof offset === "number" ? String(offset) : offset);
  };
}

function listIn(body: unknown, name: string): readonly unknown[] {
  const list = membersOf(body)[name];
  return Array.isArray(list) ? list : [];
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

import { z } from "zod";
import { text } from "../ingest/schemas.ts";
import type { IssueCode } from "../lib/problem.ts";

/**
 * Which records a function is called for: those of one of the types, if any are named, that meet
 * every condition.
 */
export interface Filter {
  /** CloudEvents types; absent: every type. */
  readonly types?: readonly string[];
  readonly all?: readonly Condition[];
}

/** Exactly one test of one field of the event's data; `field` is a path of names joined by dots. */
export type Condition =
  | { readonly field: string; readonly equals: string | number | boolean | null }
  | { readonly field: string; readonly prefix: string }
  | { readonly field: string; readonly from?: number; readonly to?: number }
  | { readonly field: string; readonly exists: boolean };

/** What a filter looks at. */
export interface FilteredEvent {
  readonly type: string;
  /** The event's data, parsed when first asked for; undefined where it is not JSON. */
  readonly data: () => unknown;
}

/** An event of a record's value, which is parsed once, and only where a condition asks for it. */
export function filteredEvent(type: string, value: string): FilteredEvent {
  let parsed: { readonly data: unknown } | undefined;
  return { type, data: () => (parsed ??= { data: parseData(value) }).data };
}

function parseData(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}

/**
 * Whether the filter selects the event. Data that is not JSON meets no condition, not even that a
 * field is absent: nobody knows what such an event says.
 */
export function matches({ types = [], all = [] }: Filter, event: FilteredEvent): boolean {
  if (types.length > 0 && !types.includes(event.type)) return false;
  if (all.length === 0) return true;
  const data = event.data();
  return data !== undefined && all.every((condition) => meets(condition, fieldOf(data, condition.field)));
}

function meets(condition: Condition, value: unknown): boolean {
  if ("equals" in condition) return value === condition.equals;
  if ("prefix" in condition) return typeof value === "string" && value.startsWith(condition.prefix);
  if ("exists" in condition) return (value !== undefined) === condition.exists;
  const { from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY } = condition;
  return typeof value === "number" && value >= from && value <= to;
}

/** What the path leads to, through objects' own members alone; undefined where there is nothing. */
function fieldOf(data: unknown, path: string): unknown {
  let value = data;
  for (const name of path.split(".")) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    if (!Object.hasOwn(value, name)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[name];
  }
  return value;
}

const mostTypes = 20;
const mostConditions = 20;
const longestType = 256;
const longestPath = 200;
const mostNames = 8;
const longestText = 1000;

/** A list of at least one; zod's own bounds would be told in the words of numbers. */
const list = <Entry extends z.ZodType>(entry: Entry, most: number) =>
  z
    .array(entry)
    .check(({ value, issues }) => {
      if (value.length === 0)
        issues.push(issue(value, "invalid-format", "must have an entry, or be left out"));
      if (value.length > most) issues.push(issue(value, "too-many", `has at most ${most} entries`));
    })
    .meta({ minItems: 1, maxItems: most });

const path = text(1, longestPath)
  .check(({ value, issues }) => {
    const names = value.split(".");
    if (names.length <= mostNames && names.every((name) => name !== "")) return;
    issues.push(issue(value, "invalid-format", `must be 1 to ${mostNames} names joined by dots`));
  })
  .meta({ pattern: `^[^.]+(?:\\.[^.]+){0,${mostNames - 1}}$` });

const scalar = z
  .custom<string | number | boolean | null>()
  .check(({ value, issues }) => {
    const isScalar = value === null || ["string", "boolean"].includes(typeof value) || Number.isFinite(value);
    if (!isScalar) issues.push(issue(value, "invalid-type", "must be a text, a number, a boolean or null"));
    if (typeof value === "string" && value.length > longestText) {
      issues.push(issue(value, "too-long", `has at most ${longestText} characters`));
    }
  })
  .meta({ type: ["string", "number", "boolean", "null"], maxLength: longestText });

const condition = z
  .strictObject({
    field: path,
    equals: scalar.exactOptional(),
    prefix: text(1, longestText).exactOptional(),
    from: z.number().exactOptional(),
    to: z.number().exactOptional(),
    exists: z.boolean().exactOptional(),
  })
  .check(({ value, issues }) => {
    const has = (test: string): boolean => Object.hasOwn(value, test);
    const tests = [has("equals"), has("prefix"), has("from") || has("to"), has("exists")];
    if (tests.filter(Boolean).length !== 1) {
      const message = "must have exactly one test: equals, prefix, exists, or from and to";
      issues.push(issue(value, "invalid-format", message));
    }
    const { from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY } = value;
    if (from > to) issues.push(issue(value, "invalid-format", "must not end before it begins"));
  })
  .transform((checked) => checked as Condition)
  .meta({
    oneOf: [
      { required: ["equals"] },
      { required: ["prefix"] },
      { anyOf: [{ required: ["from"] }, { required: ["to"] }] },
      { required: ["exists"] },
    ],
  });

/** A filter as somebody who subscribes writes it, bounded so that testing a record stays cheap. */
export const filterSchema = z.strictObject({
  types: list(text(1, longestType), mostTypes).exactOptional(),
  all: list(condition, mostConditions).exactOptional(),
}) satisfies z.ZodType<Filter>;

function issue(input: unknown, code: IssueCode, message: string): z.core.$ZodRawIssue {
  return { code: "custom", input, message, params: { code } };
}

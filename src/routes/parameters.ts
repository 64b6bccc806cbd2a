import { z } from "zod";
import { idPattern } from "../auction/events.ts";
import { cellResolution } from "../ingest/enrich.ts";
import { Problem } from "../lib/problem.ts";
import { parseTimestamp } from "../lib/time.ts";

/** The query parameters of the reading routes. What is absent has its default here. */
const wholeNumber = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,16}$/, "must be a whole number")
    .transform(Number)
    .pipe(z.int().min(least).max(most));

const id = z.string().regex(idPattern, "must be an id");
const category = z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, "must be a category");
const limit = wholeNumber(1, 200).default(50);

const time = z.string().transform((text, context) => {
  const value = parseTimestamp(text);
  if (value !== null) return value;
  context.addIssue({ code: "custom", message: "must be a date and time of RFC 3339" });
  return z.NEVER;
});

export const itemParameters = z.object({ after: z.string().max(300).optional() });

export const bidsParameters = z.object({
  limit,
  before: wholeNumber(0, Number.MAX_SAFE_INTEGER).optional(),
});

export const listParameters = z.object({
  category: category.optional(),
  seller: id.optional(),
  endsBefore: time.optional(),
  sort: z.enum(["ending", "newest"]).default("ending"),
  limit,
  cursor: z.string().max(400).optional(),
});

export const windowParameters = z.object({
  seconds: wholeNumber(10, 3600)
    .refine((seconds) => seconds % 10 === 0, "must be a multiple of 10")
    .default(10),
  category: category.optional(),
});

export const cellParameters = z.object({
  resolution: wholeNumber(0, cellResolution).default(cellResolution),
});

/** @throws {Problem} `invalid-parameter`, naming every parameter that is at fault. */
export function readParameters<Schema extends z.ZodType>(
  schema: Schema,
  query: Readonly<Record<string, string>>,
): z.output<Schema> {
  const result = schema.safeParse(query);
  if (result.success) return result.data;
  const faults = result.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  throw new Problem("invalid-parameter", faults.join("; "));
}

/** The item's id in a path; one that no item can have is an item that is not known. @throws {Problem} */
export function readItemId(parameter: string | undefined): string {
  if (parameter !== undefined && idPattern.test(parameter)) return parameter;
  throw new Problem("unknown-item", "No item can have this id");
}

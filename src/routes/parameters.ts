import { z } from "zod";
import { idPattern } from "../auction/events.ts";
import { finestResolution } from "../ingest/geocell.ts";
import { currencies, isCurrency } from "../lib/currency.ts";
import { longestCursor } from "../live/cursor.ts";
import { Problem } from "../lib/problem.ts";
import { parseTimestamp } from "../lib/time.ts";

/** `meta` is for the generated document, in the words of JSON Schema; it validates nothing. */
const wholeNumber = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,16}$/, "must be a whole number")
    .transform(Number)
    .pipe(z.int().min(least).max(most))
    .meta({ type: "integer", minimum: least, maximum: most });

/** The same with what an absent one counts as. */
const wholeNumberOr = (absent: number, least: number, most: number) =>
  wholeNumber(least, most).default(absent).meta({ default: absent });

// The query parameters of the reading routes. What is absent has its default here.

const id = z.string().regex(idPattern, "must be an id");
const category = z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, "must be a category");
const limit = wholeNumberOr(50, 1, 200);

/** Of pages of an operator's lists. */
const pageLimit = wholeNumberOr(100, 1, 500);

/** Of the list of API keys. */
export const keyParameters = z.strictObject({ limit: pageLimit, cursor: z.string().max(64).optional() });

const time = z
  .string()
  .transform((text, context) => {
    const value = parseTimestamp(text);
    if (value !== null) return value;
    context.addIssue({ code: "custom", message: "must be a date and time of RFC 3339" });
    return z.NEVER;
  })
  .meta({ format: "date-time" });

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

export const bidderBidsParameters = z.object({
  status: z.enum(["winning", "outbid", "won", "lost"]).optional(),
  limit,
  // A place in every partition that has more.
  cursor: z.string().max(8_000).optional(),
});

export const liveParameters = z.strictObject({
  items: z.string().min(1, "must name an item"),
  after: z.string().max(longestCursor).optional(),
  ticket: z.string().max(200).optional(),
});

export const lineageParameters = z.strictObject({
  source: z.string().min(1).max(256).optional(),
  item: id.optional(),
  /** Empty: its sender is bound to none. */
  subject: z.union([z.literal(""), id]).optional(),
});

export const auctionParameters = z.strictObject({
  status: z.enum(["sold", "unsold", "withdrawn"]).optional(),
  category: category.optional(),
  from: time.optional(),
  to: time.optional(),
  limit,
  cursor: z.string().max(400).optional(),
});

export const analysesParameters = z.strictObject({ limit, cursor: z.string().max(300).optional() });

const day = z
  .string()
  .transform((text, context) => {
    const start = parseTimestamp(`${text}T00:00:00Z`);
    if (start !== null) return start / 86_400_000;
    context.addIssue({ code: "custom", message: "must be a day, such as 2026-11-25" });
    return z.NEVER;
  })
  .meta({ format: "date" });

export const totalsParameters = z.strictObject({
  category: category.optional(),
  currency: z
    .string()
    .refine(isCurrency, "must be a currency code of ISO 4217")
    .meta({ enum: currencies })
    .optional(),
  from: day.optional(),
  to: day.optional(),
  limit,
  cursor: z.string().max(400).optional(),
});

export const windowParameters = z.object({
  seconds: wholeNumber(10, 3600)
    .refine((seconds) => seconds % 10 === 0, "must be a multiple of 10")
    .default(10)
    .meta({ type: "integer", minimum: 10, maximum: 3600, multipleOf: 10, default: 10 }),
  category: category.optional(),
});

export const cellParameters = z.object({
  resolution: wholeNumberOr(finestResolution, 0, finestResolution),
});

export const replayParameters = z.object({ limit: wholeNumberOr(20, 1, 100) });

export const parkedParameters = z.object({ limit: pageLimit, cursor: z.string().max(400).optional() });

export const deadLetterParameters = z.object({
  limit: pageLimit,
  partition: wholeNumber(0, 999_999).optional(),
  before: z
    .string()
    .regex(/^\d{1,6}-\d{1,15}$/, "must be the next of an answer for the same partition")
    .optional(),
});

/**
 * @param query each parameter's values as they were sent; a parameter has one
 * @throws {Problem} `invalid-parameter`, naming every parameter that is at fault.
 */
export function readParameters<Schema extends z.ZodObject>(
  schema: Schema,
  query: Readonly<Record<string, readonly string[]>>,
): z.output<Schema> {
  const given = Object.entries(query);
  const twice = given.filter(([name, values]) => values.length > 1 && Object.hasOwn(schema.shape, name));
  const result = schema.safeParse(Object.fromEntries(given.map(([name, [value]]) => [name, value])));
  if (result.success && twice.length === 0) return result.data;
  const faults = twice.map(([name]) => `${name}: is given twice`);
  if (!result.success) faults.push(...result.error.issues.flatMap(faultsOf));
  throw new Problem("invalid-parameter", faults.join("; "));
}

function faultsOf(issue: z.core.$ZodIssue): string[] {
  if (issue.code !== "unrecognized_keys") return [`${issue.path.join(".")}: ${issue.message}`];
  return issue.keys.map((key) => `${key}: is not a parameter of this route`);
}

const attributePrefix = "attribute.";
/** Attributes that one query may ask for. */
const mostAttributes = 8;
const longestAttribute = 1000;

/** The parameters named `attribute.NAME`, as pairs of name and value, apart from the others. */
export interface SeparateParameters {
  readonly attributes: readonly (readonly [name: string, value: string])[];
  readonly others: Readonly<Record<string, readonly string[]>>;
}

/** @throws {Problem} `invalid-parameter` where an attribute is given twice, or there are too many. */
export function separateAttributes(queries: Readonly<Record<string, readonly string[]>>): SeparateParameters {
  const isAttribute = ([name]: readonly [string, unknown]) => name.startsWith(attributePrefix);
  const given = Object.entries(queries);
  const attributes = given.filter(isAttribute).map(([name, [value = "", ...more]]) => {
    if (more.length > 0) throw new Problem("invalid-parameter", `${name}: is given twice`);
    return [name, value] as const;
  });
  if (
    attributes.length > mostAttributes ||
    attributes.some((pair) => pair.join("").length > longestAttribute)
  ) {
    const bounds = `at most ${mostAttributes}, of ${longestAttribute} characters each`;
    throw new Problem("invalid-parameter", `${attributePrefix}NAME: ${bounds}`);
  }
  return {
    attributes: attributes.map(([name, value]) => [name.slice(attributePrefix.length), value]),
    others: Object.fromEntries(given.filter((pair) => !isAttribute(pair))),
  };
}

/** @throws {Problem} `invalid-parameter`: no bidder can have the id. */
export function readBidderId(parameter: string | undefined): string {
  if (parameter !== undefined && idPattern.test(parameter)) return parameter;
  throw new Problem("invalid-parameter", "bidderId: must be an id");
}

/** The item's id in a path; one that no item can have is an item that is not known. @throws {Problem} */
export function readItemId(parameter: string | undefined): string {
  if (parameter !== undefined && idPattern.test(parameter)) return parameter;
  throw new Problem("unknown-item", "No item can have this id");
}

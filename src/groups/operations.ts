import { z } from "zod";
import { issuesFromZod } from "../ingest/issues.ts";
import { type Issue, type Problem, problemFromIssues } from "../lib/problem.ts";
import { failure, ok, type Result } from "../lib/result.ts";

/** Dead letters of one request at most. */
const mostIds = 500;

/** Exported for the generated document, as the other schemas here. */
export const nothingSchema = z.strictObject({});
export const seekSchema = z.strictObject({
  offset: z.int().min(0).meta({ maximum: Number.MAX_SAFE_INTEGER }),
  skip: z.boolean().default(false),
});
export const rebuildSchema = seekSchema.extend({ wipe: z.boolean().default(false) });
export const redriveSchema = z.strictObject({
  ids: z
    .array(z.string().regex(/^(?:0|[1-9]\d{0,5})-[1-9]\d{0,14}$/, "must be the id of a dead letter"))
    .min(1)
    .max(mostIds)
    .optional(),
  all: z.literal(true).optional(),
});

/** Where a group of functions is to begin again, and whether it may leave out what is not finished. */
export type SeekBody = z.output<typeof seekSchema>;
/** The same of a group that keeps state, which has to be wiped for it. */
export type RebuildBody = z.output<typeof rebuildSchema>;
/** Ids, `{partition}-{number}`, or all of them. */
export type RedriveBody = { readonly ids: readonly string[] } | { readonly all: true };

/** A body that has nothing to say: a field that is not understood is refused here as well. */
export function validateNothing(document: unknown): Result<object, Problem> {
  return validate(nothingSchema, document);
}

export function validateSeek(document: unknown): Result<SeekBody, Problem> {
  return validate(seekSchema, document);
}

export function validateRebuild(document: unknown): Result<RebuildBody, Problem> {
  return validate(rebuildSchema, document);
}

/** Of `ids` and `all` there has to be one: both would leave open which is meant. */
export function validateRedrive(document: unknown): Result<RedriveBody, Problem> {
  const result = redriveSchema.safeParse(document);
  const issues = result.success ? [] : issuesFromZod(result.error.issues, document, "");
  const { ids, all } = membersOf(document);
  if (ids !== undefined && all !== undefined)
    issues.push({ pointer: "/all", code: "given-twice", message: "is there beside ids" });
  if (issues.length === 0 && ids === undefined && all === undefined)
    issues.push({ pointer: "/ids", code: "required", message: "is missing, and so is all" });
  if (!result.success || issues.length > 0) return refused(issues);
  return ok(result.data.ids === undefined ? { all: true } : { ids: result.data.ids });
}

function validate<Schema extends z.ZodType>(
  schema: Schema,
  document: unknown,
): Result<z.output<Schema>, Problem> {
  const result = schema.safeParse(document);
  return result.success ? ok(result.data) : refused(issuesFromZod(result.error.issues, document, ""));
}

function refused(issues: readonly Issue[]): Result<never, Problem> {
  return failure(problemFromIssues(issues, "operation"));
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

import { z } from "zod";
import { issuesFromZod } from "../ingest/issues.ts";
import { type Issue, type Problem, problemFromIssues } from "../lib/problem.ts";
import { failure, ok, type Result } from "../lib/result.ts";
import { eventTypes } from "../topics.ts";
import { filterSchema } from "../functions/filter.ts";
import type { SubscriptionSettings } from "./subscription.ts";

/** Whether events may be sent to a URL; else why not, as words that go behind the field's name. */
export type CheckAddress = (url: string) => Result<unknown, { readonly message: string }>;

/** What `auction.notifications` carries. A type that it never carries is a typing error. */
const typesOfNotifications = [
  eventTypes.bidderOutbid,
  eventTypes.bidderWon,
  eventTypes.bidderLost,
  eventTypes.bidderRejected,
] as const;
const notificationTypes: ReadonlySet<unknown> = new Set(typesOfNotifications);

/** Events of one request at most. */
const largestBatch = 100;

/** Exported for the generated document. */
export const settingsSchema = z.strictObject({
  url: z.string().meta({ format: "uri" }),
  filter: filterSchema.optional(),
  types: z
    .array(z.string().meta({ enum: typesOfNotifications }))
    .meta({ minItems: 1 })
    .optional(),
  order: z.enum(["key", "partition", "none"]).default("key"),
  mode: z.enum(["structured", "binary"]).default("structured"),
  batch: z.strictObject({ count: z.int().min(1).max(largestBatch).default(1) }).default({ count: 1 }),
  from: z.enum(["latest", "earliest"]).default("latest"),
});

/**
 * What a client wants of a subscription, its defaults put in and `types` in the filter; else every
 * fault of it.
 */
export function validateSubscription(
  document: unknown,
  checkAddress: CheckAddress,
): Result<SubscriptionSettings, Problem> {
  const issues = faultsBeyondForm(document, checkAddress);
  const result = settingsSchema.safeParse(document);
  if (!result.success) issues.push(...issuesFromZod(result.error.issues, document, ""));
  if (!result.success || issues.length > 0) return failure(problemFromIssues(issues, "subscription"));
  const { types, filter, ...settings } = result.data;
  const selected = types === undefined ? filter : { ...filter, types };
  return ok({ ...settings, ...(selected === undefined ? {} : { filter: selected }) });
}

/**
 * What no field's form says, looked at even where other fields are at fault, so that all that is
 * wrong is told at once. A value of the wrong type is the schema's to tell.
 */
function faultsBeyondForm(document: unknown, checkAddress: CheckAddress): Issue[] {
  const { url, types, filter } = membersOf(document);
  const typesOfFilter = membersOf(filter).types;
  const issues = [...faultsOfTypes("/types", types), ...faultsOfTypes("/filter/types", typesOfFilter)];
  const address = typeof url === "string" ? checkAddress(url) : undefined;
  if (address?.ok === false) {
    issues.push({ pointer: "/url", code: "forbidden-url", message: address.error.message });
  }
  if (types !== undefined && typesOfFilter !== undefined) {
    issues.push({ pointer: "/types", code: "given-twice", message: "is in the filter as well" });
  }
  return issues;
}

function faultsOfTypes(pointer: string, types: unknown): Issue[] {
  if (!Array.isArray(types)) return [];
  if (types.length === 0) {
    return [{ pointer, code: "invalid-format", message: "must have an entry, or be left out" }];
  }
  return types.flatMap((type: unknown, index) =>
    typeof type !== "string" || notificationTypes.has(type)
      ? []
      : [
          {
            pointer: `${pointer}/${index}`,
            code: "unknown-type" as const,
            message: "is no type of notification",
          },
        ],
  );
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

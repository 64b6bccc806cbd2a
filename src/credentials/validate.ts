import { z } from "zod";
import { idPattern } from "../auction/events.ts";
import { issuesFromZod } from "../ingest/issues.ts";
import { problemFromIssues } from "../lib/problem.ts";
import { keyIdPattern } from "./api-key.ts";
import { scopes } from "./scopes.ts";

/** The body of `POST /v1/keys`. */
export const keySchema = z.strictObject({
  id: z
    .string()
    .regex(keyIdPattern, "must be 1 to 64 letters, digits, dots or hyphens, and neither . nor ..")
    .optional(),
  scopes: z
    .array(z.enum(scopes))
    .min(1)
    .refine((entries) => new Set(entries).size === entries.length, "names a scope twice"),
  subject: z.string().regex(idPattern, "must be the id of a bidder or seller").optional(),
});

/** What a new key is to be. @throws {Problem} with every fault. */
export function readKeyRequest(document: unknown): z.output<typeof keySchema> {
  const result = keySchema.safeParse(document);
  if (result.success) return result.data;
  throw problemFromIssues(issuesFromZod(result.error.issues, document, ""), "key");
}

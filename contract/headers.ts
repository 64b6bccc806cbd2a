import { z } from "zod";

/** Headers of answers, by their names. */
const answerHeaders = {
  "X-Request-Id": { schema: z.uuid(), description: "Names the request in Gavel's log lines" },
  "Cache-Control": { schema: z.string(), description: "`no-store`, but of the documents" },
  "RateLimit-Policy": {
    schema: z.string(),
    description: "What is limited, where anything is: `q` requests in `w` seconds, each by itself",
  },
  "Retry-After": {
    schema: z.string().regex(/^\d+$/),
    description: "Seconds after which the request may be sent again",
  },
  "WWW-Authenticate": { schema: z.string(), description: "The scheme of credentials" },
  Location: { schema: z.string(), description: "Path of what was written" },
  "Preference-Applied": {
    schema: z.string(),
    description: "The preferences of `Prefer` that were honoured (RFC 7240)",
  },
  Upgrade: { schema: z.string(), description: "The protocol that is needed" },
  ETag: { schema: z.string(), description: "Of what is answered, for `If-None-Match`" },
} as const;

export type AnswerHeader = keyof typeof answerHeaders;

/** Statuses of problems that say when to try again. */
const temporary: ReadonlySet<number> = new Set([408, 429, 503]);

/** Those that come with a status, each with whether it always does. */
export const sharedHeaders = [
  ["X-Request-Id", true],
  ["Cache-Control", true],
  ["RateLimit-Policy", false],
  ["Retry-After", true],
  ["Upgrade", true],
  // Of 403: which scope there should be.
  ["WWW-Authenticate", false],
] as const;

/** The headers that every answer of the status has, or may have, each a reference. */
export function headersOfStatus(status: number): Record<string, { readonly $ref: string }> {
  const names: AnswerHeader[] = ["X-Request-Id", "Cache-Control", "RateLimit-Policy"];
  if (status === 401 || status === 403) names.push("WWW-Authenticate");
  if (status === 426) names.push("Upgrade");
  if (temporary.has(status)) names.push("Retry-After");
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

export function headerObjects(
  names: readonly AnswerHeader[] = [],
  required = false,
): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, headerObject(name, required)]));
}

/** A header in OpenAPI's words. */
export function headerObject(name: AnswerHeader, required: boolean): { readonly schema: object } {
  const { schema, description } = answerHeaders[name];
  const { $schema: _, ...document } = z.toJSONSchema(schema);
  return { description, required, schema: document } as { schema: object };
}

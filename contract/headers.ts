import { z } from "zod";

/** Headers of answers, by their names. */
const answerHeaders = {
  "X-Request-Id": { schema: z.uuid(), description: "Names the request in Gavel's log lines" },
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
  ETag: { schema: z.string(), description: "Of what is answered, for `If-None-Match`" },
  "Cache-Control": { schema: z.string(), description: "Whether the answer may be kept" },
} as const;

export type AnswerHeader = keyof typeof answerHeaders;

/** Those that come with a status. */
export const sharedHeaders = ["X-Request-Id", "Retry-After", "WWW-Authenticate"] as const;

/** The headers that every answer of the status has, each a reference. */
export function headersOfStatus(status: number): Record<string, { readonly $ref: string }> {
  const names: AnswerHeader[] = ["X-Request-Id"];
  if (status === 401) names.push("WWW-Authenticate");
  if (status === 429 || status === 503) names.push("Retry-After");
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

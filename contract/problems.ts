import { z } from "zod";
import { type ErrorCode, problemKinds } from "../src/lib/problem.ts";

export type ProblemStatus = (typeof problemKinds)[ErrorCode]["status"];

/** Codes of a status, from the one table that there is of them. */
function codesOf(status: number): ErrorCode[] {
  return (Object.keys(problemKinds) as ErrorCode[]).filter((code) => problemKinds[code].status === status);
}

/** Whether anything is answered with the status at all. */
export function isProblemStatus(status: number): status is ProblemStatus {
  return codesOf(status).length > 0;
}

/** A code that a fault in an event can have, alone or in `errors`. */
const issueSchema = z
  .strictObject({
    pointer: z.string().meta({ description: "JSON Pointer from the document's root" }),
    code: z.enum(codesOf(422)),
    message: z.string(),
  })
  .meta({ id: "Fault" });

export const faults = z.array(issueSchema);

/** Members of every problem; a body that is a problem and more has them beside its own. */
export const problemMembers = (status: ProblemStatus) => ({
  type: z.string().regex(/^urn:gavel:problem:[a-z0-9-]+$/),
  title: z.string(),
  status: z.literal(status),
  code: z.enum(codesOf(status)),
  detail: z.string(),
  requestId: z.uuid(),
  retryable: z.boolean(),
  errors: faults,
});

const made = new Map<ProblemStatus, z.ZodObject>();

/** The problem document of a status (RFC 9457), whose codes are a closed set. */
export function problemSchema(status: ProblemStatus): z.ZodObject {
  const known = made.get(status);
  if (known !== undefined) return known;
  const schema = z.strictObject(problemMembers(status)).meta({ id: `Problem${status}` });
  made.set(status, schema);
  return schema;
}

/** What a status means, where an operation has nothing more to say of it. */
export const meanings: Readonly<Record<ProblemStatus, string>> = {
  400: "The request cannot be read: its body, a parameter or a header is malformed",
  401: "There is no valid credential",
  403: "The credential lacks a scope, or is bound to another subject",
  404: "There is no such thing",
  405: "The method is not allowed here; `Allow` names those that are",
  406: "The client accepts no type that is answered here",
  408: "The body did not arrive in time",
  409: "What is there does not allow it",
  413: "It is too large",
  415: "The content type is missing or not supported",
  422: "Something of what was sent is not valid; `errors` has every fault of it",
  426: "Another protocol is needed, which `Upgrade` names",
  429: "There are too many requests; try again after `Retry-After` seconds",
  500: "Gavel failed, in a way that it does not know: a defect",
  503: "Something that is needed does not answer; try again after `Retry-After` seconds",
};

/** Statuses of problems that operations answer: 405 is what a path has no operation for, and 500 a defect. */
export const problemStatuses = Object.keys(meanings)
  .map(Number)
  .filter(isProblemStatus)
  .filter((status) => status !== 405 && status !== 500);

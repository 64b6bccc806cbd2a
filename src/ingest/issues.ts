import type { z } from "zod";
import { type Issue, type IssueCode, problemKinds } from "../lib/problem.ts";

/** The faults that a schema found, in Gavel's codes, each at its JSON Pointer below `root`. */
export function issuesFromZod(found: readonly z.core.$ZodIssue[], document: unknown, root: string): Issue[] {
  return found.flatMap((issue) => {
    const place = root + pointer(issue.path);
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => ({
        pointer: place + pointer([key]),
        code: "unknown-field" as const,
        message: "is not a known field",
      }));
    }
    const code = codeOf(issue, document);
    return [{ pointer: place, code, message: code === "required" ? "is missing" : sentence(issue.message) }];
  });
}

/** RFC 6901: `~` and `/` are escaped. */
export function pointer(path: readonly PropertyKey[]): string {
  return path.map((key) => `/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

function codeOf(issue: z.core.$ZodIssue, document: unknown): IssueCode {
  switch (issue.code) {
    case "custom":
      return isIssueCode(issue.params?.code) ? issue.params.code : "invalid-format";
    case "too_small":
      return issue.origin === "string" ? "too-short" : "too-small";
    case "too_big":
      return issue.origin === "string" ? "too-long" : "too-big";
    case "invalid_type":
      return isMissing(document, issue.path) ? "required" : "invalid-type";
    case "invalid_value":
      if (isMissing(document, issue.path)) return "required";
      return issue.path[0] === "type" ? "unknown-type" : "invalid-format";
    default:
      return "invalid-format";
  }
}

function isIssueCode(code: unknown): code is IssueCode {
  return typeof code === "string" && code in problemKinds;
}

function isMissing(document: unknown, path: readonly PropertyKey[]): boolean {
  let value = document;
  for (const key of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return true;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return false;
}

function sentence(message: string): string {
  return message.replace(/^Invalid (?:input|option|string): /, "");
}

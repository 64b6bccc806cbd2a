import type { Issue } from "../lib/problem.ts";
import { issuesFromZod, pointer } from "./issues.ts";
import { extensionText } from "./schemas.ts";

/** A record's header. */
type Header = readonly [name: string, value: string];

/** What CloudEvents allows; that 20 characters are enough is advice to who chooses a name. */
const attributeName = /^[a-z0-9]{1,64}$/;
const mostExtensions = 16;

/** CloudEvents' Integer has 32 bits. */
const smallestInteger = -(2 ** 31);
const largestInteger = 2 ** 31 - 1;

/**
 * The extension attributes of a structured event as `ce_` headers, which is how the Kafka binding
 * carries them, each as the canonical text of its type. What CloudEvents does not allow as an
 * attribute's name is a typing error.
 * @param known names that are no extensions
 */
export function readExtensions(document: unknown, known: ReadonlySet<string>, issues: Issue[]): Header[] {
  const extensions: Header[] = [];
  if (typeof document !== "object" || document === null || Array.isArray(document)) return extensions;
  for (const name in document) {
    if (known.has(name)) continue;
    const value: unknown = (document as Record<string, unknown>)[name];
    if (value === null) continue;
    const found = extensionIssue(name, value);
    if (found === null) extensions.push([`ce_${name}`, `${value as string | number | boolean}`]);
    else issues.push({ ...found, pointer: pointer([name]) });
  }
  if (extensions.length > mostExtensions) {
    issues.push({
      pointer: "",
      code: "too-many",
      message: `has at most ${mostExtensions} extension attributes`,
    });
  }
  return extensions;
}

/** Null for a sound extension: its value is a text, a whole number of 32 bits or a boolean. */
function extensionIssue(name: string, value: unknown): Omit<Issue, "pointer"> | null {
  if (!attributeName.test(name)) return { code: "unknown-field", message: "is no attribute of CloudEvents" };
  if (typeof value === "boolean") return null;
  if (typeof value === "number" && Number.isInteger(value)) return integerIssue(value);
  const checked = extensionText.safeParse(value);
  return checked.success ? null : (issuesFromZod(checked.error.issues, value, "")[0] ?? null);
}

function integerIssue(value: number): Omit<Issue, "pointer"> | null {
  if (value >= smallestInteger && value <= largestInteger) return null;
  return { code: value > 0 ? "too-big" : "too-small", message: "has 32 bits at most: send it as a text" };
}

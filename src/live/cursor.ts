import { checkOf, versionPattern } from "./item.ts";

/** The versions of a set of items that somebody has: an empty text where none. In the items' order. */
export type Versions = readonly string[];

/** Longest cursor: what 64 items take. */
export const longestCursor = 1_100;

/** Which set of items a cursor is of. @param items sorted */
export function fingerprintOf(items: readonly string[]): string {
  const text = items.join("\n");
  return checkOf(text) + checkOf(`${text}\n${items.length}`).slice(0, 2);
}

/** The `id` of a message: where its reader is, in any feed. */
export function encodeCursor(fingerprint: string, versions: Versions): string {
  return `${fingerprint}.${versions.join(".")}`;
}

/**
 * The versions that a cursor says its bearer has of these items; none of any where it is of another set.
 * Undefined where the text is no cursor.
 */
export function decodeCursor(text: string, items: readonly string[]): string[] | undefined {
  const [fingerprint = "", ...versions] = text.split(".");
  const isCursor =
    text.length <= longestCursor &&
    /^[A-Za-z0-9_-]{6}$/.test(fingerprint) &&
    versions.length > 0 &&
    versions.every((version) => version === "" || versionPattern.test(version));
  if (!isCursor) return undefined;
  const isOfThese = fingerprint === fingerprintOf(items) && versions.length === items.length;
  return isOfThese ? versions : items.map(() => "");
}

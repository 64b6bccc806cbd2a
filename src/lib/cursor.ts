import { Problem } from "./problem.ts";

/** A place in a sorted list: the sort key and the item's id, which settles ties. */
export interface Place {
  readonly key: number;
  readonly itemId: string;
}

/** An opaque cursor for a place: base64url of JSON, bound to the sort order it was made for. */
export function encodeCursor(sort: string, { key, itemId }: Place): string {
  return btoa(JSON.stringify([sort, key, itemId]))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

/** @throws {Problem} `invalid-parameter` for a text that is no cursor of this sort order. */
export function decodeCursor(sort: string, cursor: string): Place {
  let parts: unknown;
  try {
    parts = JSON.parse(atob(cursor.replaceAll("-", "+").replaceAll("_", "/")));
  } catch {
    parts = null;
  }
  if (Array.isArray(parts)) {
    const [madeFor, key, itemId] = parts as unknown[];
    if (madeFor === sort && Number.isSafeInteger(key) && typeof itemId === "string")
      return { key: Number(key), itemId };
  }
  throw new Problem("invalid-parameter", "cursor: must be the next of an answer with the same sort");
}

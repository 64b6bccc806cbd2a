/** What a client asks for in `Prefer` (RFC 7240), of what Gavel knows. */
export interface Preferences {
  /** How long to wait for the outcome, in seconds. */
  readonly waitSeconds?: number;
  /** Only what was rejected, in the answer for several. */
  readonly minimal: boolean;
}

const longestWaitSeconds = 10;

/**
 * A preference is a wish: one that is unknown or makes no sense is passed over, the first of two
 * equal ones counts, and a wait above the longest is taken for the longest.
 */
export function parsePrefer(header: string | null): Preferences {
  // Most requests have none.
  if (header === null) return { minimal: false };
  const wishes = new Map<string, string>();
  for (const wish of header.split(",")) {
    const [name = "", value = ""] = (wish.split(";")[0] ?? "").split("=").map((part) => part.trim());
    const key = name.toLowerCase();
    if (!wishes.has(key)) wishes.set(key, value.replace(/^"(.*)"$/, "$1"));
  }
  const wait = wishes.get("wait") ?? "";
  const minimal = wishes.get("return")?.toLowerCase() === "minimal";
  if (!/^\d{1,6}$/.test(wait) || Number(wait) < 1) return { minimal };
  return { minimal, waitSeconds: Math.min(Number(wait), longestWaitSeconds) };
}

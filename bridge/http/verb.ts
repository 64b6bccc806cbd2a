const verbs: ReadonlySet<string> = new Set([
  "produce",
  "fetch",
  "offsets",
  "topics",
  "consume",
  "commit",
  "committed",
  "consumers",
  "delete-consumer",
  "webhook",
  "healthz",
  "readyz",
  "metrics",
]);

/** The request's kind, for figures and lines: one of a few, whatever a client writes. */
export function verbOf(url: string): string {
  const name = /^\/([a-z-]+)/.exec(url)?.[1] ?? "";
  return verbs.has(name) ? name : "other";
}

import { parseAccept } from "hono/utils/accept";

/** What a route answers that says nothing else: its own answers, and problems. */
export const jsonAnswers = ["application/json", "application/problem+json"] as const;

/**
 * Whether `Accept` admits one of the types, given without parameters. The most specific range that a
 * type falls under decides, whatever its parameters are; a header without a range is passed over.
 * Source: RFC 9110, 12.5.1.
 */
export function isAcceptable(header: string | undefined, types: readonly string[]): boolean {
  // Most clients say nothing, or one of these two.
  if (header === undefined || header === "*/*" || header === types[0]) return true;
  const ranges = parseAccept(header)
    .map(({ type, q }) => ({ type: type.toLowerCase(), q }))
    .filter(({ type }) => type.includes("/"));
  if (ranges.length === 0) return true;
  return types.some((type) => {
    const forms = [type, `${type.slice(0, type.indexOf("/"))}/*`, "*/*"];
    // The highest quality comes first, so that of two equal ranges the more willing one counts.
    const range = forms
      .map((form) => ranges.find((one) => one.type === form))
      .find((one) => one !== undefined);
    return range !== undefined && range.q > 0;
  });
}

import { Problem } from "../lib/problem.ts";

/** What a path with these handlers answers, as `Allow` lists it: HEAD goes where GET goes. */
export function allowedMethods(handled: readonly string[]): string {
  return [...handled.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method])), "OPTIONS"].join(
    ", ",
  );
}

/**
 * The answer for a method that a path has no handler for: OPTIONS tells what there is, any other is
 * refused and told the same.
 * @throws {Problem} `method-not-allowed`
 */
export function answerOtherMethod(method: string, allow: string): Response {
  if (method === "OPTIONS") return new Response(null, { status: 204, headers: { allow } });
  throw new Problem("method-not-allowed", `Allowed: ${allow}`, { headers: { allow } });
}

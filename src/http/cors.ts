import { Problem } from "../lib/problem.ts";

/**
 * Which pages' scripts may call, by the origins that the configuration lists (Fetch standard, "CORS
 * protocol"). Programs that are no browsers send no `Origin` and need nothing of this. Credentials
 * travel in a header that scripts set, and not in cookies, so that a page which is not listed has
 * nothing to borrow: its requests are answered, and its scripts cannot read the answer.
 */

/** What clients send beyond what browsers always allow; `ce-*` beside it. A wildcard would not cover `authorization`. */
const requestHeaders: ReadonlySet<string> = new Set([
  "authorization",
  "content-encoding",
  "content-type",
  "idempotency-key",
  "last-event-id",
  "prefer",
  "traceparent",
  "tracestate",
]);

/** What scripts may read beyond what browsers always show. */
const answerHeaders = [
  "Allow",
  "Location",
  "Preference-Applied",
  "RateLimit-Policy",
  "Retry-After",
  "WWW-Authenticate",
  "X-Request-Id",
].join(", ");

/** How long a browser may keep what a preflight said; none keeps it longer than two hours. */
const preflightS = 7_200;
/** Names that a preflight may ask for; the answer repeats those that are allowed. */
const mostNames = 64;

/** Whether a browser asks what it may do before it does it. */
export function isPreflight(request: Request): boolean {
  const { headers, method } = request;
  return method === "OPTIONS" && headers.has("origin") && headers.has("access-control-request-method");
}

/**
 * Whether a page may hold a connection open, for which browsers ask no leave beforehand: one of a
 * listed origin, one of the gateway's own, or whatever is no page.
 */
export function isAllowedOrigin({ headers, url }: Request, listed: ReadonlySet<string>): boolean {
  const origin = headers.get("origin");
  return origin === null || listed.has(origin) || origin === URL.parse(url)?.origin;
}

/** @throws {Problem} `forbidden-origin` for a WebSocket that a page of another origin opens. */
export function requireOriginOfUpgrade(request: Request, listed: ReadonlySet<string>): void {
  if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") return;
  if (isAllowedOrigin(request, listed)) return;
  throw new Problem("forbidden-origin", "Pages of this origin may not connect: see CORS_ORIGINS");
}

/** The answer to a preflight of a listed origin, for a path whose methods are `allow`. */
export function answerPreflight({ headers }: Request, allow: string): Response {
  const asked = headers.get("access-control-request-headers")?.split(",").slice(0, mostNames) ?? [];
  const allowed = asked
    .map((name) => name.trim().toLowerCase())
    .filter((name) => requestHeaders.has(name) || /^ce-[a-z0-9]+$/.test(name));
  return new Response(null, {
    status: 204,
    headers: {
      "access-control-allow-methods": allow,
      ...(allowed.length === 0 ? {} : { "access-control-allow-headers": allowed.join(", ") }),
      "access-control-max-age": String(preflightS),
      vary: "Access-Control-Request-Method, Access-Control-Request-Headers",
    },
  });
}

/** What an answer says of the origin that asked; to one that is not listed, that others may get another. */
export function setOriginHeaders(answer: Headers, request: Request, listed: ReadonlySet<string>): void {
  if (listed.size === 0) return;
  answer.append("vary", "Origin");
  const origin = request.headers.get("origin");
  if (origin === null || !listed.has(origin)) return;
  answer.set("access-control-allow-origin", origin);
  if (!isPreflight(request)) answer.set("access-control-expose-headers", answerHeaders);
}

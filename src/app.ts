import { Hono, type MiddlewareHandler } from "hono";
import { matchedRoutes } from "hono/route";
import { ConfigError } from "./config.ts";
import { isAcceptable, jsonAnswers } from "./http/acceptable.ts";
import { answerPreflight, isPreflight, requireOriginOfUpgrade, setOriginHeaders } from "./http/cors.ts";
import { allowedMethods, answerOtherMethod } from "./http/methods.ts";
import { secure } from "./http/security-headers.ts";
import { describeError } from "./lib/log.ts";
import { Problem, problemResponse } from "./lib/problem.ts";
import type { CountedRequest } from "./metrics/request-metrics.ts";
import { newTrace, parseTraceContext } from "./lib/trace-context.ts";
import { uuidv7 } from "./lib/uuid.ts";
import { loggerFor, usableServices } from "./services.ts";
import { answers, type Handler, routes } from "./routes/table.ts";
import type { AppContext, AppEnv, Operation } from "./routes/operation.ts";

export function createApp(): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  // From the outermost inwards.
  app.use(observe);
  app.use(securityHeaders);
  app.use(guard);
  for (const [path, methods] of Object.entries(routes)) {
    const types = answers[path] ?? jsonAnswers;
    for (const [method, handler] of Object.entries(methods)) app.on(method, path, negotiated(handler, types));
    const allow = allowedMethods(Object.keys(methods));
    app.all(path, (context) => answerOtherMethod(context.req.method, allow));
  }
  // Answered and not thrown: Hono would carry an exception past the middleware from here.
  app.notFound((context) => {
    const problem = new Problem("not-found", "No resource has this path");
    return problemResponse(toProblem(problem, context), context.var.operation.requestId);
  });
  app.onError((error, context) =>
    problemResponse(toProblem(error, context), context.var.operation.requestId),
  );
  return app;
}

/** Gives every request an id, every answer its header, and writes one line per operation. */
const observe: MiddlewareHandler<AppEnv> = async (context, next) => {
  // Hono's router takes the path `/*` for its own pattern, and gives it every middleware twice.
  const begun = context.get("operation") as Operation | undefined;
  if (begun !== undefined) return next();
  const startedAt = Date.now();
  const { headers } = context.req.raw;
  const trace = parseTraceContext(headers.get("traceparent"), headers.get("tracestate")) ?? newTrace();
  const operation = { requestId: uuidv7(startedAt), trace, fields: {} };
  context.set("operation", operation);
  await next();
  context.res.headers.set("x-request-id", operation.requestId);
  const { status } = context.res;
  const { method } = context.req;
  const route = routePattern(context);
  loggerFor(context.env)(status >= 500 ? "warn" : "info", "request", {
    requestId: operation.requestId,
    traceId: trace.traceId,
    method,
    route,
    status,
    durationMs: Date.now() - startedAt,
    ...operation.fields,
  });
  count(context, { route, method, status, ...codeOf(operation.fields) });
};

/** The figures leave the isolate behind the answer, now and then. */
function count(context: AppContext, request: CountedRequest): void {
  const meters = usableServices(context.env)?.meters;
  if (meters === undefined) return;
  meters.metrics.request(request);
  meters.handOver.soon((work) => context.executionCtx.waitUntil(work));
}

function codeOf({ code }: Readonly<Record<string, unknown>>): { readonly code?: string } {
  return typeof code === "string" ? { code } : {};
}

const securityHeaders: MiddlewareHandler<AppEnv> = async (context, next) => {
  await next();
  secure(context.res.headers);
};

/** The handler, for clients that accept what it answers: before it does anything for others. */
function negotiated(handler: Handler, types: readonly string[]): Handler {
  return (context) => {
    if (isAcceptable(context.req.header("accept"), types)) return handler(context);
    throw new Problem("not-acceptable", `Accept ${types.join(" or ")}`);
  };
}

/**
 * What holds for every path: which origins may call, and what is limited. A preflight is answered
 * here; one of an origin that is not listed is a plain OPTIONS.
 */
const guard: MiddlewareHandler<AppEnv> = async (context, next) => {
  const services = usableServices(context.env);
  // Whatever needs the configuration says for itself that it cannot be used.
  if (services === null) return next();
  const { config, rateLimits } = services;
  const request = context.req.raw;
  requireOriginOfUpgrade(request, config.corsOrigins);
  const answer = isPreflight(request) ? preflightAnswer(context, config.corsOrigins) : null;
  if (answer === null) await next();
  else context.res = answer;
  const { headers } = context.res;
  setOriginHeaders(headers, request, config.corsOrigins);
  if (rateLimits.policy !== null) headers.set("ratelimit-policy", rateLimits.policy);
};

/** Null for what no answer here is for. */
function preflightAnswer(context: AppContext, listed: ReadonlySet<string>): Response | null {
  const methods = routes[routePattern(context)];
  if (methods === undefined || !listed.has(context.req.header("origin") ?? "")) return null;
  return answerPreflight(context.req.raw, allowedMethods(Object.keys(methods)));
}

/** The route's pattern, not the path: the line must not carry what clients put there. */
function routePattern(context: AppContext): string {
  const path = matchedRoutes(context)
    .map((route) => route.path)
    .find((pattern) => pattern in routes);
  return path ?? "none";
}

/** What a client is told of an error. Only a `Problem` was written for clients. */
function toProblem(error: Error, context: AppContext): Problem {
  const { fields } = context.var.operation;
  if (error instanceof Problem) {
    fields.code = error.code;
    if (error.cause !== undefined) fields.cause = describeError(error.cause);
    return error;
  }
  fields.error = describeError(error);
  fields.code = error instanceof ConfigError ? "misconfigured" : "internal-error";
  const logger = loggerFor(context.env);
  if (error instanceof ConfigError) {
    logger("error", "misconfigured", { reason: error.message });
    return new Problem(
      "misconfigured",
      "The gateway's configuration cannot be used; its operator has to act",
    );
  }
  logger("error", "internal-error", {
    requestId: context.var.operation.requestId,
    stack: describeError(error.stack),
  });
  return new Problem("internal-error", "Gavel failed in a way that it does not know");
}

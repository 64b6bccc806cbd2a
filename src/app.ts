import { Hono, type MiddlewareHandler } from "hono";
import { matchedRoutes } from "hono/route";
import { ConfigError } from "./config.ts";
import { describeError } from "./lib/log.ts";
import { Problem, problemResponse } from "./lib/problem.ts";
import { uuidv7 } from "./lib/uuid.ts";
import { loggerFor } from "./services.ts";
import { getAnalyses, getAnalysisOf } from "./routes/analyses.ts";
import { getAuctions, getAuctionTotals } from "./routes/auctions.ts";
import { getDeadLetters, postRedrive } from "./routes/groups/dead-letters.ts";
import { getParked, postRetry, postSkip } from "./routes/groups/parked.ts";
import { postPause, postResume } from "./routes/groups/pause.ts";
import { postSeek } from "./routes/groups/seek.ts";
import { getGroups, getPartition, getPartitions } from "./routes/groups/status.ts";
import { getHealth, getReadiness } from "./routes/health.ts";
import { getBids, getItem, listItems } from "./routes/items.ts";
import { getMetrics } from "./routes/metrics.ts";
import type { AppContext, AppEnv } from "./routes/operation.ts";
import { deleteProfileOf, getProfileOf, putProfileOf } from "./routes/profiles.ts";
import { deleteReplay, getReplay, listReplays, postReplay } from "./routes/replays.ts";
import { getCategories, getCells, getWindows } from "./routes/stats.ts";
import {
  deleteSubscription,
  getSubscription,
  listSubscriptions,
  postEnable,
  postSecret,
  postSubscription,
} from "./routes/subscriptions.ts";
import { postBids, postEvents, postItems, postWithdrawal } from "./routes/write.ts";

type Handler = (context: AppContext) => Response | Promise<Response>;
type Methods = Partial<Record<"GET" | "POST" | "PUT" | "DELETE", Handler>>;

/** Every path with its methods. HEAD goes where GET goes, without the body. */
const routes: Readonly<Record<string, Methods>> = {
  "/v1/items": { GET: listItems, POST: postItems },
  "/v1/items/:itemId": { GET: getItem },
  "/v1/items/:itemId/bids": { GET: getBids },
  "/v1/items/:itemId/withdraw": { POST: postWithdrawal },
  "/v1/bids": { POST: postBids },
  "/v1/events": { POST: postEvents },
  "/v1/stats/categories": { GET: getCategories },
  "/v1/stats/windows": { GET: getWindows },
  "/v1/stats/cells": { GET: getCells },
  "/v1/groups": { GET: getGroups },
  "/v1/groups/:group/partitions": { GET: getPartitions },
  "/v1/groups/:group/partitions/:partition": { GET: getPartition },
  "/v1/groups/:group/partitions/:partition/pause": { POST: postPause },
  "/v1/groups/:group/partitions/:partition/resume": { POST: postResume },
  "/v1/groups/:group/partitions/:partition/seek": { POST: postSeek },
  "/v1/groups/:group/partitions/:partition/parked": { GET: getParked },
  "/v1/groups/:group/partitions/:partition/parked/:key/retry": { POST: postRetry },
  "/v1/groups/:group/partitions/:partition/parked/:key/skip": { POST: postSkip },
  // Records without a key have the empty one.
  "/v1/groups/:group/partitions/:partition/parked//retry": { POST: postRetry },
  "/v1/groups/:group/partitions/:partition/parked//skip": { POST: postSkip },
  "/v1/groups/:group/dead-letters": { GET: getDeadLetters },
  "/v1/groups/:group/dead-letters/redrive": { POST: postRedrive },
  "/v1/replays": { GET: listReplays, POST: postReplay },
  "/v1/replays/:id": { GET: getReplay, DELETE: deleteReplay },
  "/v1/subscriptions": { GET: listSubscriptions, POST: postSubscription },
  "/v1/subscriptions/:id": { GET: getSubscription, DELETE: deleteSubscription },
  "/v1/subscriptions/:id/secrets": { POST: postSecret },
  "/v1/subscriptions/:id/enable": { POST: postEnable },
  "/v1/auctions": { GET: getAuctions },
  "/v1/auctions/totals": { GET: getAuctionTotals },
  "/v1/analyses": { GET: getAnalyses },
  "/v1/analyses/:id": { GET: getAnalysisOf },
  "/v1/profiles/:profileId": { GET: getProfileOf, PUT: putProfileOf, DELETE: deleteProfileOf },
  "/healthz": { GET: getHealth },
  "/readyz": { GET: getReadiness },
  "/metrics": { GET: getMetrics },
};

export function createApp(): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  app.use(observe);
  for (const [path, methods] of Object.entries(routes)) {
    for (const [method, handler] of Object.entries(methods)) app.on(method, path, handler);
    const allow = Object.keys(methods).flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method]));
    app.all(path, () => {
      throw new Problem("method-not-allowed", `Allowed: ${allow.join(", ")}`, {
        headers: { allow: allow.join(", ") },
      });
    });
  }
  // Answered and not thrown: Hono would carry an exception past the middleware from here.
  app.notFound((context) => {
    const problem = new Problem("not-found", "No resource has this path");
    return problemResponse(problem, context.var.operation.requestId);
  });
  app.onError((error, context) =>
    problemResponse(toProblem(error, context), context.var.operation.requestId),
  );
  return app;
}

/** Gives every request an id, every answer its header, and writes one line per operation. */
const observe: MiddlewareHandler<AppEnv> = async (context, next) => {
  const startedAt = Date.now();
  const operation = { requestId: uuidv7(startedAt), fields: {} };
  context.set("operation", operation);
  await next();
  context.res.headers.set("x-request-id", operation.requestId);
  const { status } = context.res;
  loggerFor(context.env)(status >= 500 ? "warn" : "info", "request", {
    requestId: operation.requestId,
    method: context.req.method,
    route: routePattern(context),
    status,
    durationMs: Date.now() - startedAt,
    ...operation.fields,
  });
};

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

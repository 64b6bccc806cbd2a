import type { Context } from "hono";
import type { Env } from "../env.ts";
import { authenticate, type Credential, requireScope } from "../ingest/authenticate.ts";
import type { Scope } from "../config.ts";
import type { RequestIds } from "../lib/log.ts";
import type { TraceContext } from "../lib/trace-context.ts";
import { type Services, servicesFor } from "../services.ts";

/** What one request's log line will say; operations add to it. */
export interface Operation {
  readonly requestId: string;
  /** The trace that the request continues, or begins: its events' own, unless they bring one. */
  readonly trace: TraceContext;
  readonly fields: Record<string, unknown>;
}

/** What a further line of the request carries. An event may have brought a trace of its own. */
export function idsOf({ fields, requestId, trace }: Operation): RequestIds {
  return { requestId, traceId: typeof fields.traceId === "string" ? fields.traceId : trace.traceId };
}

export interface AppEnv {
  Bindings: Env;
  Variables: { operation: Operation };
}

export type AppContext = Context<AppEnv>;

/**
 * The services and the sender of a request that needs one of the scopes. Whoever sends too many is
 * refused here, before anything is read or done for the request.
 * @throws {Problem}
 */
export async function admit(
  context: AppContext,
  ...anyOf: readonly Scope[]
): Promise<{ readonly services: Services; readonly credential: Credential }> {
  const services = servicesFor(context.env);
  const { credentials, rateLimits } = services;
  const { headers } = context.req.raw;
  const credential = await authenticate(headers.get("authorization"), credentials, {
    countUnknown: () => rateLimits.countUnknown(headers),
    waitUntil: (work) => context.executionCtx.waitUntil(work),
  });
  context.get("operation").fields.credential = credential.id;
  await rateLimits.count(credential, headers);
  requireScope(credential, ...anyOf);
  return { services, credential };
}

/** A route that needs no credential: its requests count for the address that they come from. */
export function openToAll(
  handler: (context: AppContext) => Response | Promise<Response>,
): (context: AppContext) => Promise<Response> {
  return async (context) => {
    await servicesFor(context.env).rateLimits.countOpen(context.req.raw.headers);
    return handler(context);
  };
}

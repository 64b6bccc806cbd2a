import type { Context } from "hono";
import type { Env } from "../env.ts";
import { authenticate, type Credential, requireScope } from "../ingest/authenticate.ts";
import type { Scope } from "../config.ts";
import { type Services, servicesFor } from "../services.ts";

/** What one request's log line will say; operations add to it. */
interface Operation {
  readonly requestId: string;
  readonly fields: Record<string, unknown>;
}

export interface AppEnv {
  Bindings: Env;
  Variables: { operation: Operation };
}

export type AppContext = Context<AppEnv>;

/** The services and the sender of a request that needs one of the scopes. @throws {Problem} */
export async function admit(
  context: AppContext,
  ...anyOf: readonly Scope[]
): Promise<{ readonly services: Services; readonly credential: Credential }> {
  const services = servicesFor(context.env);
  const authorization = context.req.header("authorization") ?? null;
  const credential = await authenticate(authorization, services.config.apiKeys);
  context.get("operation").fields.credential = credential.id;
  requireScope(credential, ...anyOf);
  return { services, credential };
}

import { env } from "cloudflare:workers";
import type { Subscriptions } from "../../../durable-objects/subscriptions.ts";
import { subscriptionsName } from "../../../durable-objects/subscriptions/rpc.ts";
import { answered, call, type Call } from "../edge/client.ts";

const bindings = env as unknown as { readonly SUBSCRIPTIONS: DurableObjectNamespace<Subscriptions> };

/** The one object, as partitions call it. */
export function subscriptionsObject(): DurableObjectStub<Subscriptions> {
  return bindings.SUBSCRIPTIONS.getByName(subscriptionsName);
}

export const path = "/v1/subscriptions";
export const url = "https://hooks.example.com/gavel";

export interface Body {
  readonly id: string;
  readonly url: string;
  readonly status: string;
  readonly secrets: readonly { readonly createdAt: string; readonly expiresAt?: string }[];
  readonly [member: string]: unknown;
}

/** As an operator, unless another key is named. */
export function operate(to: string, options: Call = {}): Promise<Response> {
  return call(to, { key: "operator", ...options });
}

/** Makes a subscription, which must be possible. */
export function subscribe(settings: object = {}): Promise<Body & { readonly secret: string }> {
  return answered(operate(path, { body: { url, ...settings } }), 201);
}

export async function listed(): Promise<readonly Body[]> {
  const { subscriptions } = await answered<{ subscriptions: Body[] }>(operate(path), 200);
  return subscriptions;
}

/** Leaves none: the tests of a file share the object. */
export async function removeAll(): Promise<void> {
  for (const { id } of await listed()) {
    const response = await operate(`${path}/${id}`, { method: "DELETE" });
    if (response.status !== 204) throw new Error(`${id} was not removed: ${response.status}`);
  }
}

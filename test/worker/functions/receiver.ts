import { env } from "cloudflare:workers";
import type { ReceivedCall } from "../../support/receiver/call.ts";
import type { Script } from "../../support/receiver/script.ts";

const { RECEIVER_URL: receiver } = env as unknown as { readonly RECEIVER_URL: string };

/** An endpoint of the receiver that runs beside the Workers runtime; each test has one of its own. */
export interface Endpoint {
  readonly url: string;
  script(script: Script): Promise<void>;
  /** From now on one of these has to verify each call. */
  verify(secrets: readonly string[]): Promise<void>;
  received(): Promise<Received>;
  /** How many calls came. */
  count(): Promise<number>;
}

export interface Received {
  readonly calls: readonly ReceivedCall[];
  /** Of all endpoints. */
  readonly violations: readonly string[];
}

/** @param secrets one of which has to verify each call; absent: not looked at until `verify` */
export async function newEndpoint(secrets?: readonly string[]): Promise<Endpoint> {
  const path = `/${crypto.randomUUID()}`;
  const control = `${receiver}/_receiver${path}`;
  const put = async (settings: object): Promise<void> => {
    await (await fetch(control, { method: "PUT", body: JSON.stringify(settings) })).text();
  };
  if (secrets !== undefined) await put({ secrets });
  return {
    url: receiver + path,
    script: (script) => put({ script }),
    verify: (valid) => put({ secrets: valid }),
    received: async () => (await fetch(control)).json<Received>(),
    count: async () => (await (await fetch(`${control}?count`)).json<{ count: number }>()).count,
  };
}

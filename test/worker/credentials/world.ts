import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { vi } from "vitest";
import { createApp } from "../../../src/app.ts";
import type { Env } from "../../../src/env.ts";
import { keys, type KeyName } from "../edge/client.ts";

type Variables = Partial<Record<keyof Env, unknown>>;

export interface Sent {
  /** One of the secret's keys by its name, else the credential itself; null for none. */
  readonly as?: KeyName | (string & {}) | null;
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

/** The Worker in an isolate's memory of its own, with other variables; everything behind it is real. */
export class Isolate {
  readonly #app = createApp();
  readonly #env: Env;

  constructor(variables: Variables = {}) {
    this.#env = { ...(env as unknown as Env), ...(variables as Partial<Env>) };
  }

  /** One request. What it leaves to be done behind its answer is not waited for: some of it sleeps for seconds. */
  async call(path: string, { as = "operator", method, body, headers }: Sent = {}): Promise<Response> {
    const credential = as === null ? undefined : ((keys as Record<string, string>)[as] ?? as);
    const request = new Request(`https://gavel.test${path}`, {
      method: method ?? (body === undefined ? "GET" : "POST"),
      headers: {
        ...(credential === undefined ? {} : { authorization: `Bearer ${credential}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return this.#app.fetch(request, this.#env, createExecutionContext());
  }

  /** The status of a read that any credential with `read` may make. */
  async statusOf(credential: string | null, headers: Record<string, string> = {}): Promise<number> {
    const response = await this.call("/v1/stats/cells", { as: credential, headers });
    await response.arrayBuffer();
    return response.status;
  }
}

/** Everything that is written to the logs from now on, a line each. */
export function watchLogs(): string[] {
  const lines: string[] = [];
  for (const method of ["log", "warn", "error", "info", "debug"] as const) {
    vi.spyOn(console, method).mockImplementation((...words: unknown[]) => {
      lines.push(words.map(String).join(" "));
    });
  }
  return lines;
}

/** Everything in its forms in which it might be written somewhere. */
export async function formsOf(secret: string): Promise<string[]> {
  const bytes = new TextEncoder().encode(secret);
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const hex = (these: Uint8Array) => Array.from(these, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const base64 = (these: Uint8Array) => btoa(String.fromCodePoint(...these)).replace(/=+$/, "");
  return [secret, hex(bytes), base64(bytes), hex(hash), base64(hash), hash.join(",")];
}

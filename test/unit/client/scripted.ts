import type { Fetch, FetchAnswer, FetchInit, Host } from "../../../client/host.ts";

export interface Request extends FetchInit {
  readonly url: string;
  /** When it was made. */
  readonly at: number;
}

/** What one request meets: an answer, a network that breaks, or nothing until it is given up. */
export type Step =
  | { readonly status: number; readonly body?: unknown; readonly headers?: Record<string, string> }
  | "broken"
  | "silent";

/** A host whose time passes only while the client sleeps, and whose gateway answers by a script. */
export class ScriptedHost {
  readonly requests: Request[] = [];
  readonly sleeps: number[] = [];
  time = 1_000_000;
  private readonly script: (request: Request, index: number) => Step;

  /** @param script its last step is that of all further requests */
  constructor(script: readonly Step[] | ((request: Request, index: number) => Step)) {
    this.script =
      typeof script === "function"
        ? script
        : (_, index) => script[Math.min(index, script.length - 1)] ?? "broken";
  }

  /** @param random what every draw answers */
  host(random = 0.5): Host {
    return {
      fetch: this.fetch,
      random: () => random,
      now: () => this.time,
      sleep: (milliseconds, signal) => {
        this.sleeps.push(milliseconds);
        this.time += milliseconds;
        return signal?.aborted === true ? Promise.reject(signal.reason as Error) : Promise.resolve();
      },
    };
  }

  private readonly fetch: Fetch = (url, init) => {
    const request = { ...init, url, at: this.time };
    this.requests.push(request);
    const step = this.script(request, this.requests.length - 1);
    if (step === "broken") return Promise.reject(new TypeError("fetch failed"));
    if (step === "silent") return untilAborted(init.signal);
    return Promise.resolve(answerOf(step));
  };
}

function answerOf({ status, body, headers = {} }: Exclude<Step, string>): FetchAnswer {
  const text = typeof body === "string" ? body : JSON.stringify(body ?? {});
  return new Response(text, { status, headers });
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error));
  });
}

/** A problem as the gateway answers it. */
export function problem(
  status: number,
  code: string,
  retryable: boolean,
  headers: Record<string, string> = {},
): Step {
  const body = {
    title: code,
    status,
    code,
    detail: `it is ${code}`,
    requestId: "request-1",
    retryable,
    errors: [],
  };
  return {
    status,
    body,
    headers: { "content-type": "application/problem+json", "x-request-id": "request-1", ...headers },
  };
}

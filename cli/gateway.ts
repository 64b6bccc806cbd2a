import { z } from "zod";
import { Failure } from "./failure.ts";
import type { Target } from "./target.ts";

/** A seek waits half a minute for calls that are under way. */
const timeoutMs = 60_000;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** As parsed JSON; null for an empty body or one that is none. */
  readonly body: unknown;
}

const problemSchema = z.object({ code: z.string(), detail: z.string() });

/** A gateway's HTTP interface, with one key. */
export class Gateway {
  readonly url: string;
  readonly #key: string;

  constructor({ url, key }: Target) {
    this.url = url;
    this.#key = key;
  }

  /** Whatever is answered. @throws {Failure} when nothing is */
  async ask(method: "GET" | "POST" | "DELETE", path: string, body?: unknown): Promise<Answer> {
    let response: Response;
    let text: string;
    try {
      response = await fetch(this.url + path, {
        method,
        headers: {
          authorization: `Bearer ${this.#key}`,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        // The key is for this address and no other.
        redirect: "manual",
        signal: AbortSignal.timeout(timeoutMs),
      });
      text = await response.text();
    } catch (error) {
      throw new Failure(`${this.url} does not answer (${reasonOf(error)})`);
    }
    return { status: response.status, headers: response.headers, body: jsonOf(text) };
  }

  /** The body of an answer that must be one of success, in the form that is expected. @throws {Failure} */
  async request<Schema extends z.ZodType>(
    schema: Schema,
    method: "GET" | "POST" | "DELETE",
    path: string,
    body?: unknown,
  ): Promise<z.output<Schema>> {
    const answer = await this.ask(method, path, body);
    if (answer.status < 200 || answer.status > 299) throw new Failure(refusalOf(answer));
    const result = schema.safeParse(answer.body);
    if (result.success) return result.data;
    throw new Failure(`${this.url}${path} answers something else than Gavel does`);
  }
}

/** A refusal as one sentence. */
export function refusalOf({ status, body }: Answer): string {
  const problem = problemSchema.safeParse(body);
  if (!problem.success) return `The gateway answers ${status}, and not as Gavel does`;
  return `${problem.data.detail} (${status} ${problem.data.code})`;
}

/** Why a request failed. The cause's code says more than the message of `fetch`. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return `not within ${timeoutMs / 1000} s`;
  const { cause } = error;
  if (typeof cause === "object" && cause !== null && "code" in cause) return String(cause.code);
  return error.message;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

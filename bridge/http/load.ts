import type { ServerResponse } from "node:http";
import { HttpError } from "./http-error.ts";

/** What one request holds of the bridge's memory until its answer is taken. */
export interface Holding {
  /** Counts bytes that may still be refused. @throws {HttpError} 503 beyond the bound: nothing was done. */
  readonly reserve: (bytes: number) => void;
  /** Counts bytes that are there already: an answer that tells of an effect is never taken back. */
  readonly hold: (bytes: number) => void;
}

/**
 * What is in work over all requests: bodies from their first byte on, and answers until the client
 * has taken them. However slow the log or the clients, memory has this bound.
 */
export class Load {
  readonly #maxBytes: number;
  #requests = 0;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get requests(): number {
    return this.#requests;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Begins a request; it ends with its response, taken or cut off. */
  begin(response: ServerResponse): Holding {
    let held = 0;
    this.#requests++;
    response.once("close", () => {
      this.#requests--;
      this.#bytes -= held;
    });
    const hold = (bytes: number) => {
      // Behind the end nobody would count it down again.
      if (response.closed) return;
      held += bytes;
      this.#bytes += bytes;
    };
    const reserve = (bytes: number) => {
      hold(bytes);
      if (this.#bytes > this.#maxBytes) throw overloaded();
    };
    return { reserve, hold };
  }
}

function overloaded(): HttpError {
  return new HttpError(503, "too much is in work; nothing was done", { "retry-after": "1" });
}

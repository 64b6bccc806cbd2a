import { WorkerEntrypoint } from "cloudflare:workers";
import { answerBatch, type BatchAnswer, type FunctionBatch } from "./functions/batch.ts";
import { calledWithBatches } from "./functions/binding.ts";
import type { Invoke } from "./functions/function.ts";
import { createHttpFunction, type HttpEndpoint } from "./functions/http/http-function.ts";
import { systemClock } from "./lib/clock.ts";

/**
 * Calls endpoints for the partition objects, each in an invocation of its own: one invocation waits
 * for six connections at a time, and a partition has more calls under way than that.
 * Source: Workers, limits, simultaneous open connections.
 */
export class EndpointCaller extends WorkerEntrypoint {
  call(endpoint: HttpEndpoint, batch: FunctionBatch): Promise<BatchAnswer> {
    // Called as a plain function: Workers' `fetch` refuses another `this`.
    const dependencies = {
      fetch: (url: string, init: RequestInit) => fetch(url, init),
      clock: systemClock,
    };
    return answerBatch(batch, createHttpFunction(endpoint, dependencies));
  }
}

/** Calls an endpoint through another invocation. @param exports of the Worker, as its context has them */
export function handedOver(exports: unknown, endpoint: HttpEndpoint): Invoke {
  const { EndpointCaller: caller } = exports as { readonly EndpointCaller: Pick<EndpointCaller, "call"> };
  return calledWithBatches((batch) => caller.call(endpoint, batch));
}

import { type BatchAnswer, batchOf, type FunctionBatch, resultOf } from "./batch.ts";
import type { Invoke } from "./function.ts";

/**
 * What a service binding offers as a function: an entrypoint of this Worker or of another one with
 * this method, which answers by `answerBatch`, or with a result of its own making.
 */
export interface BoundFunction {
  invoke(batch: FunctionBatch): Promise<BatchAnswer>;
}

/**
 * A function behind a service binding, called by RPC: one request a call. It rejects where the
 * binding does; what it answers is checked, since it may be another deployment's.
 */
export function createBindingFunction(target: BoundFunction): Invoke {
  return calledWithBatches((batch) => target.invoke(batch));
}

/** A function that takes invocations in the form in which they cross over. */
export function calledWithBatches(call: (batch: FunctionBatch) => Promise<unknown>): Invoke {
  return async (invocation) => resultOf(await call(batchOf(invocation)), invocation.records.length);
}

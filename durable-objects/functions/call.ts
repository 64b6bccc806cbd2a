import { longestReason } from "../../src/functions/batch.ts";
import { type CallTrace, callTraceOf } from "../../src/functions/call-trace.ts";
import { deliveryId } from "../../src/functions/delivery-id.ts";
import type { FunctionRecord, Invocation, InvocationResult, Invoke } from "../../src/functions/function.ts";
import type { LogRecord } from "../../src/kafka/port.ts";
import { describeError } from "../../src/lib/log.ts";
import { randomHex } from "../../src/lib/random.ts";
import { checkedResult } from "./checked-result.ts";
import type { Deadlines } from "./deadlines.ts";
import type { Call } from "./calls-under-way.ts";
import type { Pending } from "./pending.ts";

/** What a call is about, beside its records. */
export interface CallContext {
  readonly group: string;
  readonly function: string;
  readonly deadlines: Deadlines;
  recordOf(pending: Pending): LogRecord;
}

/**
 * Calls the function with a call's records, and answers what became of it: also when it throws,
 * answers nonsense, or does not answer by the deadline. A function that goes on after its deadline is
 * waited for once more as long, so that it does not meet its next attempt; then it is given up.
 */
export function invoke(call: Call, target: Invoke, context: CallContext): Promise<InvocationResult> {
  const { deadline, startedAt } = call;
  const { deadlines } = context;
  const timeoutMs = deadline - startedAt;
  const abort = new AbortController();
  const answer = answerOf(target, () => invocationOf(call, context, abort.signal));
  return new Promise((resolve) => {
    const giveUp = (): void =>
      resolve({ outcomes: [], failure: { reason: `no answer within ${timeoutMs} ms` } });
    let takeBack = deadlines.set(deadline, () => {
      abort.abort();
      takeBack = deadlines.set(deadline + timeoutMs, giveUp);
    });
    void answer.then((result) => {
      takeBack();
      resolve(result);
    });
  });
}

function invocationOf(call: Call, context: CallContext, signal: AbortSignal): Invocation {
  const span = randomHex(8);
  return {
    group: context.group,
    function: context.function,
    records: call.records.map((pending) => functionRecord(pending, context, span)),
    deadline: call.deadline,
    signal,
  };
}

/** @param span of the call */
function functionRecord(pending: Pending, context: CallContext, span: string): FunctionRecord {
  const record = context.recordOf(pending);
  const { topic, partition, offset, timestamp, key, value } = record;
  // A pushed record's become objects only where somebody asks for them, and then once.
  let headers: FunctionRecord["headers"] | undefined;
  let trace: CallTrace | undefined;
  const headersOf = (): FunctionRecord["headers"] => (headers ??= record.headers);
  const traceOf = (): CallTrace | undefined => (trace ??= callTraceOf(headersOf(), span));
  return {
    id: deliveryId(topic, partition, offset, context.function),
    topic,
    partition,
    offset,
    timestamp,
    key,
    value,
    get headers() {
      return headersOf();
    },
    get traceparent() {
      return traceOf()?.traceparent;
    },
    get tracestate() {
      return traceOf()?.tracestate;
    },
    attempt: pending.attempts + 1,
  };
}

async function answerOf(target: Invoke, invocation: () => Invocation): Promise<InvocationResult> {
  try {
    const called = invocation();
    return checkedResult(await target(called), called.records.length);
  } catch (error) {
    return { outcomes: [], failure: { reason: describeError(error).slice(0, longestReason) } };
  }
}

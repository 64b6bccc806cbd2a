import type { RecordHeader } from "../kafka/port.ts";
import { parseTraceContext } from "../lib/trace-context.ts";

/** W3C Trace Context of one record in one call. */
export interface CallTrace {
  /** Version 00: the record's trace, with the call's span. */
  readonly traceparent: string;
  readonly tracestate?: string;
}

/**
 * The trace that a record carries, continued by a call. Its records share the span: their traces are
 * as a rule not one and the same. Undefined where the record carries none that is valid.
 * @param span 16 hex digits
 */
export function callTraceOf(headers: readonly RecordHeader[], span: string): CallTrace | undefined {
  let [traceparent, tracestate]: [string?, string?] = [];
  for (const { key, value } of headers) {
    if (key === "ce_traceparent") traceparent = value;
    else if (key === "ce_tracestate") tracestate = value;
  }
  const context = parseTraceContext(traceparent, tracestate);
  if (context === null) return undefined;
  const continued = `00-${context.traceId}-${span}-${context.flags}`;
  return context.tracestate === undefined
    ? { traceparent: continued }
    : { traceparent: continued, tracestate: context.tracestate };
}

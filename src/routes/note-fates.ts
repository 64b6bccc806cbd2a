import { type Fate, isPublished } from "../ingest/ingest.ts";
import { describeError } from "../lib/log.ts";
import { Problem } from "../lib/problem.ts";
import type { RequestMetrics } from "../metrics/request-metrics.ts";
import type { Operation } from "./operation.ts";

/** Of a batch's traces and codes a line names so many. */
const mostNamed = 10;

/** What became of a request's events, for its log line and for the figures. */
export function noteFates(
  { fields, trace }: Operation,
  metrics: Pick<RequestMetrics, "events">,
  fates: readonly Fate[],
  publishMs: number,
): void {
  const refused = fates.filter((fate) => fate instanceof Problem);
  const codes = refused.map(({ code }) => code);
  const accepted = fates.length - refused.length;
  metrics.events(accepted, codes);
  fields.accepted = accepted;
  fields.rejected = refused.length;
  if (codes.length > 0 && fates.length > 1) fields.codes = firstDistinct(codes);
  fields.publishMs = publishMs;
  noteTraces(fields, trace.traceId, fates);
  const log = refused.find((problem) => problem.status === 503);
  if (log !== undefined) fields.logFailure = log.cause === undefined ? log.message : describeError(log.cause);
}

/** By the line an event's trace leads to its request: an event may have brought one of its own. */
function noteTraces(fields: Record<string, unknown>, requests: string, fates: readonly Fate[]): void {
  const traces = firstDistinct(fates.filter(isPublished).map(({ traceId }) => traceId));
  const [first = requests, ...others] = traces;
  if (others.length > 0) fields.traceIds = traces;
  else fields.traceId = first;
}

function firstDistinct(values: readonly string[]): string[] {
  const distinct = new Set<string>();
  for (const value of values) {
    if (distinct.size >= mostNamed) break;
    distinct.add(value);
  }
  return [...distinct];
}

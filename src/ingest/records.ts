import type { Edge } from "../auction/events.ts";
import { partitionFor } from "../kafka/partitioner.ts";
import type { ProduceRecord, RecordHeader } from "../kafka/port.ts";
import { formatTimestamp } from "../lib/time.ts";
import { childTraceparent, newTrace, parseTraceContext, type TraceContext } from "../lib/trace-context.ts";
import { eventTypes, topics } from "../topics.ts";
import type { ValidEvent } from "./validate.ts";

export type WrittenTopic = "items" | "journal";

/** A record on its way, with what the answer and the push need of it. */
export interface PreparedRecord {
  readonly event: ValidEvent;
  readonly topic: WrittenTopic;
  readonly record: ProduceRecord;
  /** Of the trace that it carries. */
  readonly traceId: string;
}

export interface RecordContext {
  readonly edge: Edge;
  /** The trace of the request, which an event's own overrides. */
  readonly trace: TraceContext;
  readonly topicPrefix: string;
  readonly partitionCount: number;
}

const specversion: RecordHeader = { key: "ce_specversion", value: "1.0" };
const plainContentType: RecordHeader = { key: "content-type", value: "application/json" };
const typeHeaders = new Map<string, RecordHeader>(
  Object.values(eventTypes).map((type) => [type, { key: "ce_type", value: type }]),
);

/**
 * Makes records of one request's events: CloudEvents in Kafka's binary mode. What the events share
 * is written once: the edge as JSON, and the header of a time or source that repeats.
 */
export function recordMaker(context: RecordContext): (event: ValidEvent) => PreparedRecord {
  const edge = `"edge":${JSON.stringify(context.edge)}}`;
  const names = {
    items: context.topicPrefix + topics.items,
    journal: context.topicPrefix + topics.journal,
  };
  const headersOf = headerMaker();
  return (event) => {
    const own = event.traceparent !== undefined && event.traceparent !== null;
    const trace = own ? ownTrace(event) : context.trace;
    const topic = event.type === eventTypes.itemListed ? "items" : "journal";
    return {
      event,
      topic,
      record: {
        topic: names[topic],
        partition: partitionFor(event.itemId, context.partitionCount),
        key: event.itemId,
        value: withEdge(JSON.stringify(event.data), edge),
        timestamp: event.timestamp,
        headers: headersOf(event, trace),
      },
      traceId: trace.traceId,
    };
  };
}

/** The data's JSON object with one more member, the edge. */
function withEdge(data: string, edge: string): string {
  return data === "{}" ? `{${edge}` : `${data.slice(0, -1)},${edge}`;
}

function headerMaker(): (event: ValidEvent, trace: TraceContext) => RecordHeader[] {
  let source: RecordHeader = { key: "ce_source", value: "" };
  let time: RecordHeader = { key: "ce_time", value: "" };
  let timestamp = Number.NaN;
  return (event, trace) => {
    if (event.source !== source.value) source = { key: "ce_source", value: event.source };
    if (event.timestamp !== timestamp) {
      timestamp = event.timestamp;
      time = { key: "ce_time", value: formatTimestamp(timestamp) };
    }
    const headers = [
      specversion,
      { key: "ce_id", value: event.id },
      source,
      typeHeaders.get(event.type) ?? { key: "ce_type", value: event.type },
      time,
      { key: "ce_subject", value: event.itemId },
      { key: "ce_traceparent", value: childTraceparent(trace) },
    ];
    if (trace.tracestate !== undefined) headers.push({ key: "ce_tracestate", value: trace.tracestate });
    const { contentType } = event;
    headers.push(contentType === undefined ? plainContentType : { key: "content-type", value: contentType });
    for (const [key, value] of event.extensions) headers.push({ key, value });
    return headers;
  };
}

function ownTrace(event: ValidEvent): TraceContext {
  return parseTraceContext(event.traceparent, event.tracestate) ?? newTrace();
}

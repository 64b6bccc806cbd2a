import type { FunctionRecord } from "../function.ts";
import { type CloudEvent, cloudEventOf } from "./cloud-event.ts";

/** How a single event is written: whole in the body, or its attributes in headers. */
export type ContentMode = "structured" | "binary";

/** What is sent for the records of a call, but for the signature. */
export interface Message {
  /** Of the delivery: the same at each attempt with the same records. */
  readonly id: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * One record as an event in the mode asked for, several as a JSON batch, in their order.
 * Source: CloudEvents HTTP protocol binding 1.0.2, section 3, and JSON event format 1.0.2.
 */
export function messageOf(
  records: readonly [FunctionRecord, ...FunctionRecord[]],
  mode: ContentMode,
): Message {
  const [first] = records;
  const last = records.at(-1) ?? first;
  if (records.length > 1) {
    return {
      id: encodeHeaderValue(`${first.id}..${last.id}`),
      headers: { "content-type": "application/cloudevents-batch+json" },
      body: `[${records.map((record) => structured(cloudEventOf(record))).join(",")}]`,
    };
  }
  const event = cloudEventOf(first);
  const { headers, body } = mode === "binary" ? binary(event) : structuredMessage(event);
  return { id: encodeHeaderValue(first.id), headers: { ...headers, ...traceHeaders(first) }, body };
}

function structuredMessage(event: CloudEvent): Pick<Message, "headers" | "body"> {
  return { headers: { "content-type": "application/cloudevents+json" }, body: structured(event) };
}

/** The data is written as the log holds it: numbers beyond 2^53 would not survive a parser. */
function structured({ attributes, data }: CloudEvent): string {
  const members = Object.fromEntries(attributes);
  if (data === undefined) return JSON.stringify(members);
  const envelope = JSON.stringify({ ...members, datacontenttype: data.contentType });
  return `${envelope.slice(0, -1)},"data":${data.isJson ? data.text : JSON.stringify(data.text)}}`;
}

function binary({ attributes, data }: CloudEvent): Pick<Message, "headers" | "body"> {
  const headers: Record<string, string> = {};
  for (const [name, value] of attributes) headers[`ce-${name}`] = encodeHeaderValue(String(value));
  if (data !== undefined) headers["content-type"] = data.contentType;
  return { headers, body: data?.text ?? "" };
}

/** HTTP binding, 3.1.3.2: percent-encoded is all but printable ASCII, and space, `"` and `%`. */
export function encodeHeaderValue(text: string): string {
  return text.toWellFormed().replaceAll(/[^\x21\x23\x24\x26-\x7e]/gu, encodeURIComponent);
}

/**
 * The record's trace as this call continues it. The event's own attributes stay what they are: they
 * tell where it began, also behind several hops. Source: CloudEvents, distributed tracing extension.
 */
function traceHeaders({ traceparent, tracestate }: FunctionRecord): Readonly<Record<string, string>> {
  if (traceparent === undefined) return {};
  return tracestate === undefined ? { traceparent } : { traceparent, tracestate };
}

import type { IncomingHttpHeaders } from "node:http";
import { Webhook } from "standardwebhooks";
import type { Delivery, Trace } from "./call.ts";

/** A record that came, before it is answered. */
export type Arrived = Omit<Delivery, "verdict">;

/** What a request holds: read by the specifications alone, with nothing of the sender's code. */
export interface ReceivedRequest {
  readonly id: string;
  readonly trace?: Trace;
  readonly arrived: readonly Arrived[];
}

/** @throws {Error} saying what is wrong with it */
export function readRequest(headers: IncomingHttpHeaders, body: string): ReceivedRequest {
  const id = headers["webhook-id"];
  if (typeof id !== "string") throw new Error("a call has no webhook-id");
  const arrived = eventsIn(headers, body).map((event) => arrivedFrom(event));
  if (arrived.length === 1 && arrived[0]?.id !== id) {
    throw new Error(`the webhook-id is ${id} and the event's delivery is ${arrived[0]?.id}`);
  }
  return { id, ...traceIn(headers), arrived };
}

/** `tracestate` is "" without. */
function traceIn(fields: Readonly<Record<string, unknown>>): { readonly trace?: Trace } {
  const { traceparent, tracestate = "" } = fields;
  return isText(traceparent) ? { trace: { traceparent, tracestate: String(tracestate) } } : {};
}

type EventAttributes = Readonly<Record<string, unknown>>;

function eventsIn(headers: IncomingHttpHeaders, body: string): EventAttributes[] {
  const type = (headers["content-type"] ?? "").split(";", 1)[0];
  if (type === "application/cloudevents-batch+json") return JSON.parse(body) as EventAttributes[];
  if (type === "application/cloudevents+json") return [JSON.parse(body) as EventAttributes];
  const attributes = Object.entries(headers)
    .filter(([name]) => name.startsWith("ce-"))
    .map(([name, value]) => [name.slice("ce-".length), decodeURIComponent(String(value))]);
  return [Object.fromEntries(attributes) as EventAttributes];
}

function arrivedFrom(event: EventAttributes): Arrived {
  const { specversion, id, source, type, gaveldelivery, gaveltopic, partitionkey = "" } = event;
  if (specversion !== "1.0" || ![id, source, type].every(isText)) {
    throw new Error(`an event lacks what CloudEvents ask for: ${JSON.stringify(event)}`);
  }
  if (!isText(gaveldelivery) || !isText(gaveltopic)) {
    throw new Error(`an event does not say its delivery and topic: ${JSON.stringify(event)}`);
  }
  return {
    id: gaveldelivery,
    topic: gaveltopic,
    partition: wholeNumber(event, "gavelpartition"),
    offset: wholeNumber(event, "gaveloffset"),
    attempt: wholeNumber(event, "gavelattempt"),
    key: String(partitionkey),
    ...traceIn(event),
  };
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function wholeNumber(event: EventAttributes, name: string): number {
  const number = Number(event[name]);
  if (Number.isSafeInteger(number)) return number;
  throw new Error(`an event's ${name} is ${String(event[name])}`);
}

/** Whether one of the secrets verifies the request, by the package that receivers use. */
export function isSigned(headers: IncomingHttpHeaders, body: string, secrets: readonly string[]): boolean {
  const texts = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
  return secrets.some((secret) => {
    try {
      // Data in binary mode need not be JSON.
      new Webhook(secret).verify(body, texts, { jsonParse: false });
      return true;
    } catch {
      return false;
    }
  });
}

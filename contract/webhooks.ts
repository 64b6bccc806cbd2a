import { z } from "zod";
import { outcomes } from "./answers/webhooks.ts";

const attribute = z.string().optional();

/** Attributes that Gavel adds to a record's own, whatever the record says of them. */
const added = {
  partitionkey: attribute,
  gaveldelivery: z.string(),
  gaveltopic: z.string(),
  gavelpartition: z.int().min(0),
  gaveloffset: z.string().regex(/^\d+$/),
  gavelattempt: z.int().min(1),
};

const event = z
  .looseObject({
    specversion: z.literal("1.0"),
    id: z.string(),
    source: z.string(),
    type: z.string(),
    time: attribute,
    subject: attribute,
    datacontenttype: attribute,
    ...added,
    data: z.unknown().optional(),
  })
  .meta({ id: "DeliveredEvent" });

/** Standard Webhooks, and the request's own trace. */
const signed = {
  "webhook-id": z.string(),
  "webhook-timestamp": z.string().regex(/^\d+$/),
  // While a secret changes there are two.
  "webhook-signature": z.string().regex(/^v1,[A-Za-z0-9+/]+=*(?: v1,[A-Za-z0-9+/]+=*)?$/),
  traceparent: attribute,
  tracestate: attribute,
};

const binaryAttributes = Object.fromEntries(
  Object.entries({ ...event.shape, ...added })
    .filter(([name]) => name !== "data" && name !== "datacontenttype")
    .map(([name, schema]) => [`ce-${name}`, name.startsWith("gavel") ? z.string() : schema]),
);

export interface WebhookMessage {
  readonly name: string;
  readonly summary: string;
  readonly contentType: string;
  readonly payload: z.ZodType;
  readonly headers: z.ZodObject;
}

/** What an endpoint is sent, in each of the modes in which a subscription may want it. */
export const webhookMessages: readonly WebhookMessage[] = [
  {
    name: "structuredEvent",
    summary: "One event, whole in the body",
    contentType: "application/cloudevents+json",
    payload: event,
    headers: z.looseObject({ "content-type": z.literal("application/cloudevents+json"), ...signed }),
  },
  {
    name: "batchOfEvents",
    summary: "Several events, in the order of their offsets",
    contentType: "application/cloudevents-batch+json",
    payload: z.array(event).min(2).max(100).meta({ id: "DeliveredBatch" }),
    headers: z.looseObject({ "content-type": z.literal("application/cloudevents-batch+json"), ...signed }),
  },
  {
    name: "binaryEvent",
    summary: "One event, its attributes in headers, percent-encoded, and its data in the body",
    contentType: "application/json",
    payload: z.unknown().meta({ id: "DeliveredData", description: "The data as the log holds it" }),
    headers: z.looseObject({ ...binaryAttributes, ...signed }),
  },
];

/** What an endpoint may answer with a 2xx, to say what became of each event; any other body says that all is done. */
export const webhookReply = outcomes;

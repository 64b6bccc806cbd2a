import { OpenAPIHono } from "@hono/zod-openapi";
import { z } from "zod";
import { type TopicRole, topics } from "../src/topics.ts";
import { type RecordMessage, records } from "./records.ts";
import { webhookMessages, webhookReply } from "./webhooks.ts";

type Members = Readonly<Record<string, unknown>>;

/** As much of an AsyncAPI document as is looked at. */
export interface AsyncApiDocument {
  readonly asyncapi: string;
  readonly info: Members;
  readonly channels: Readonly<Record<string, Members & { readonly messages: Readonly<Record<string, Ref>> }>>;
  readonly operations: Readonly<Record<string, Members>>;
  readonly components: {
    readonly schemas: Members;
    readonly messages: Readonly<Record<string, MessageObject>>;
  };
}

export interface Ref {
  readonly $ref: string;
}

export interface MessageObject extends Members {
  readonly name: string;
  readonly payload: Ref;
  readonly headers: Ref;
}

const purposes: Readonly<Record<TopicRole, string>> = {
  items: "Items listed; a listed item's terms never change. Written by the edge.",
  journal:
    "The journal: bids, withdrawals, openings and ticks, everything that the auctions' state depends on, in one order. Written by the edge and group `auction`.",
  completed: "Finished items, the result of joining items and bids. Written by group `auction`.",
  notifications: "Outbid, won, lost and rejected, one for each bidder concerned. Written by group `auction`.",
  validated: "Finished items with profiles. Written by group `enrich`.",
  deadLetters: "What could not be processed, with why. Written by every group.",
};

const roles = Object.keys(topics) as TopicRole[];

/** The topics and the webhooks as AsyncAPI 3.0, made of schemas that records and requests are held against. */
export function asyncApiDocument(version: string): AsyncApiDocument {
  const document: unknown = {
    asyncapi: "3.0.0",
    info: {
      title: "Gavel: topics and webhooks",
      version,
      description:
        "Records are CloudEvents 1.0 in the binary mode of the Kafka binding: attributes are `ce_` headers, the data is the value. The key is the item's id, the partition Kafka's default partitioner's choice for it. Of an output a reader drops what has no `gavel_sequence` above the last of its partition. `TOPIC_PREFIX` goes in front of topics' names.",
      license: { name: "Apache-2.0", url: "https://www.apache.org/licenses/LICENSE-2.0" },
    },
    defaultContentType: "application/json",
    servers: {
      kafka: { host: "{brokers}", protocol: "kafka", variables: { brokers: { default: "127.0.0.1:9092" } } },
      subscriber: {
        host: "{host}",
        protocol: "https",
        variables: {
          host: { description: "Of the endpoint that is subscribed", default: "shop.example.com" },
        },
      },
    },
    channels: {
      ...Object.fromEntries(roles.map((role) => [role, channelOf(role)])),
      webhook: webhookChannel(),
    },
    operations: operations(),
    components: { schemas: schemas(), messages: messages() },
  };
  return document as AsyncApiDocument;
}

function channelOf(role: TopicRole): Members {
  return {
    address: topics[role],
    description: purposes[role],
    servers: [{ $ref: "#/servers/kafka" }],
    messages: refsTo(records[role].map(({ name }) => name)),
    bindings: { kafka: { topic: topics[role], bindingVersion: "0.5.0" } },
  };
}

function webhookChannel(): Members {
  return {
    // Whatever the subscription says.
    address: null,
    description:
      "What is subscribed is posted there, signed by Standard Webhooks; the answer's status, and for a batch its body, say what becomes of it.",
    servers: [{ $ref: "#/servers/subscriber" }],
    messages: refsTo([...webhookMessages.map(({ name }) => name), "outcomes"]),
  };
}

function operations(): Members {
  const byRole = roles.map((role) => [
    `send${role.charAt(0).toUpperCase()}${role.slice(1)}`,
    {
      action: "send",
      channel: { $ref: `#/channels/${role}` },
      summary: purposes[role],
      messages: records[role].map(({ name }) => ({ $ref: `#/channels/${role}/messages/${name}` })),
    },
  ]);
  const deliver = {
    action: "send",
    channel: { $ref: "#/channels/webhook" },
    summary: "Tell a subscriber",
    bindings: { http: { method: "POST", bindingVersion: "0.3.0" } },
    messages: webhookMessages.map(({ name }) => ({ $ref: `#/channels/webhook/messages/${name}` })),
    reply: {
      channel: { $ref: "#/channels/webhook" },
      messages: [{ $ref: "#/channels/webhook/messages/outcomes" }],
    },
  };
  return Object.fromEntries([...byRole, ["deliver", deliver]]) as Members;
}

function refsTo(names: readonly string[]): Readonly<Record<string, Ref>> {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/messages/${name}` }]));
}

function messages(): Readonly<Record<string, MessageObject>> {
  const ofRecords = Object.values(records).flat().map(recordMessage);
  const ofWebhooks = webhookMessages.map(({ name, summary, contentType }) => ({
    ...namedMessage(name, summary, contentType),
  }));
  const outcomes = {
    name: "outcomes",
    summary: "What became of each event; without it all is done",
    contentType: "application/json",
    payload: { $ref: "#/components/schemas/outcomesPayload" },
  };
  return Object.fromEntries([...ofRecords, ...ofWebhooks, outcomes].map((one) => [one.name, one])) as Record<
    string,
    MessageObject
  >;
}

function namedMessage(name: string, summary: string, contentType: string): MessageObject {
  return {
    name,
    summary,
    contentType,
    payload: { $ref: `#/components/schemas/${name}Payload` },
    headers: { $ref: `#/components/schemas/${name}Headers` },
  };
}

function recordMessage({ name, type, summary }: RecordMessage): MessageObject {
  return {
    ...namedMessage(name, summary, "application/json"),
    title: type,
    bindings: {
      kafka: {
        key: { type: "string", description: "The item's id; of what is about no item, the empty text" },
        bindingVersion: "0.5.0",
      },
    },
  };
}

/** Of the schemas that validate, by the generator that makes OpenAPI's: the same names, and the same words. */
function schemas(): Members {
  const { openAPIRegistry: registry, getOpenAPI31Document } = new OpenAPIHono();
  for (const { name, payload, headers } of [...Object.values(records).flat(), ...webhookMessages]) {
    registry.register(`${name}Payload`, wrapped(payload));
    registry.register(`${name}Headers`, headers);
  }
  registry.register("outcomesPayload", wrapped(webhookReply));
  const { components } = getOpenAPI31Document({ openapi: "3.1.0", info: { title: "", version: "" } });
  return components?.schemas ?? {};
}

/** A schema with a name of its own is referred to under another one. */
function wrapped(schema: z.ZodType): z.ZodType {
  return z.union([schema]);
}

/** The CloudEvents SDK as a client of the gateway and as a reader of the log. */
import { CloudEvent, type CloudEventV1, HTTP, Kafka, type Message } from "cloudevents";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { GavelProcess } from "../../local/gavel-process.ts";
import type { LocalFile } from "../../local/home.ts";
import { freshHome, npmStartUnattended } from "./support/home.ts";
import { type Accepted, item as itemOf } from "./support/http.ts";
import { type LogRecord, readTopic } from "./support/log-reader.ts";

interface Coordinates extends Accepted {
  readonly source: string;
  readonly timestamp: string;
}

let gavel: GavelProcess;

beforeAll(async () => {
  gavel = await npmStartUnattended({ home: freshHome() });
});

afterAll(() => gavel.stop());

interface Call {
  readonly key?: keyof LocalFile["keys"];
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One request; a body that is no text is sent as JSON. */
function call(path: string, { key = "backend", method, body, headers }: Call = {}): Promise<Response> {
  return fetch(gavel.local.url + path, {
    method: method ?? (body === undefined ? "GET" : "POST"),
    headers: {
      authorization: `Bearer ${gavel.local.keys[key]}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
}

/** The JSON of an answer that must have this status. */
async function answered<Body>(response: Promise<Response>, status: number): Promise<Body> {
  const actual = await response;
  const text = await actual.text();
  if (actual.status !== status) throw new Error(`Expected ${status}, not ${actual.status}: ${text}`);
  return JSON.parse(text) as Body;
}

let made = 0;

/** An item that no other test has. */
function newItem(more: Record<string, unknown> = {}): { readonly itemId: string } {
  made += 1;
  return { ...itemOf(`item-${made}`, 3_600_000), ...more } as { readonly itemId: string };
}

function newBid(itemId: string, more: Record<string, unknown> = {}): object {
  return { itemId, bidderId: "ben", amount: 1000, currency: "EUR", ...more };
}

/** Lists an item and waits until it is open. */
async function openItem(): Promise<{ readonly itemId: string }> {
  const item = newItem();
  await answered(call("/v1/items", { body: item, headers: { prefer: "wait=10" } }), 200);
  return item;
}

/** A partition's records, from the log itself. */
async function partitionOf(topic: string, partition: number): Promise<LogRecord[]> {
  return (await readTopic(gavel.local.bridge, topic))[partition] ?? [];
}

async function readRecord({ topic, partition, offset }: Coordinates): Promise<LogRecord> {
  const record = (await partitionOf(topic, partition)).find((one) => one.offset === offset);
  if (record === undefined) throw new Error(`The log has no record at ${topic}:${partition}:${offset}`);
  return record;
}

/** An event as a client of the SDK makes it, with every attribute that there is. */
function bidEvent(itemId: string, more: Partial<CloudEventV1<unknown>> = {}): CloudEvent<unknown> {
  return new CloudEvent<unknown>({
    id: crypto.randomUUID(),
    source: "https://shop.example/app",
    type: "gavel.bid.placed.v1",
    subject: itemId,
    datacontenttype: "application/vnd.shop.bid+json",
    dataschema: "https://shop.example/bid.json",
    data: newBid(itemId),
    tier: 3,
    beta: true,
    region: "eu",
    ...more,
  });
}

/** The SDK's message as a request. */
function post({ headers, body }: Pick<Message, "headers" | "body">): Promise<Response> {
  const texts = Object.entries(headers).map(([name, value]) => [name, String(value)]);
  return call("/v1/events", {
    body: body as string,
    headers: Object.fromEntries(texts) as Record<string, string>,
  });
}

/** A record as a consumer of the log hands it to the SDK. */
function eventOf(record: LogRecord): CloudEventV1<Record<string, unknown>> {
  const headers = Object.fromEntries(record.headers.map(({ key, value }) => [key, value]));
  const message = { key: record.key, value: record.value, headers, body: record.value };
  const event = Kafka.toEvent<Record<string, unknown>>(message);
  if (Array.isArray(event)) throw new Error("A record is one event");
  return event;
}

/** What has to be the same at the other end; the edge adds its own to the data. */
function sameAttributes(sent: CloudEvent<unknown>) {
  const { id, source, type, subject, datacontenttype, dataschema, specversion } = sent;
  // Kafka's headers are texts, whatever the attribute's type.
  return {
    id,
    source,
    type,
    subject,
    datacontenttype,
    dataschema,
    specversion,
    tier: "3",
    beta: "true",
    region: "eu",
  };
}

describe("an event that the CloudEvents SDK sends is, to the SDK that reads the log, the same event", () => {
  const modes = { binary: HTTP.binary, structured: HTTP.structured };

  test.each(Object.entries(modes))("in %s mode", async (_, write) => {
    const { itemId } = newItem();
    const sent = bidEvent(itemId);
    const told = await answered<Coordinates>(post(write(sent)), 202);
    expect(told).toMatchObject({ id: sent.id, source: sent.source });
    const read = eventOf(await readRecord(told));
    expect(read).toMatchObject({ ...sameAttributes(sent), partitionkey: itemId, time: told.timestamp });
    // The SDK parses what is called application/json and no other JSON.
    const { edge, ...data } = JSON.parse(read.data as unknown as string) as Record<string, unknown>;
    expect(data).toEqual(sent.data);
    expect(edge).toMatchObject({ credential: "backend" });
  });

  test("in a batch, one by one and in order", async () => {
    const { itemId } = newItem();
    const sent = [bidEvent(itemId), bidEvent(itemId, { region: "us", datacontenttype: "application/json" })];
    const response = post({
      headers: { "content-type": "application/cloudevents-batch+json" },
      body: JSON.stringify(sent),
    });
    const { results } = await answered<{ results: Coordinates[] }>(response, 202);
    const read = await Promise.all(results.map(async (told) => eventOf(await readRecord(told))));
    expect(read).toMatchObject([
      sameAttributes(sent[0] as CloudEvent),
      { ...sameAttributes(sent[1] as CloudEvent), region: "us", data: newBid(itemId) },
    ]);
  });

  test("with data in bytes, which the SDK sends as base64", async () => {
    const { itemId } = newItem();
    const bytes = new TextEncoder().encode(JSON.stringify(newBid(itemId)));
    const message = HTTP.structured(bidEvent(itemId, { data: bytes, datacontenttype: "application/json" }));
    expect(JSON.parse(message.body as string)).toHaveProperty("data_base64");
    const read = eventOf(await readRecord(await answered<Coordinates>(post(message), 202)));
    expect(read.data).toMatchObject(newBid(itemId));
  });

  test("with nothing but what is required, whose data is then called what it is", async () => {
    const { itemId } = newItem();
    const sent = new CloudEvent({ source: "/app", type: "gavel.bid.placed.v1", data: newBid(itemId) });
    const read = eventOf(await readRecord(await answered<Coordinates>(post(HTTP.structured(sent)), 202)));
    expect(read).toMatchObject({ id: sent.id, subject: itemId, datacontenttype: "application/json" });
  });
});

/** All of a partition's records of one item, oldest first. */
async function recordsOf(topic: string, partition: number, itemId: string): Promise<LogRecord[]> {
  return (await partitionOf(topic, partition)).filter(({ key }) => key === itemId);
}

test("every record that Gavel itself writes about an item is a valid event to the SDK", async () => {
  const { itemId } = await openItem();
  const headers = { prefer: "wait=10" };
  const { partition } = await answered<Coordinates>(call("/v1/bids", { body: newBid(itemId), headers }), 200);
  await answered(
    call("/v1/bids", { body: newBid(itemId, { bidderId: "ada", amount: 2_000 }), headers }),
    200,
  );
  await answered(call(`/v1/items/${itemId}/withdraw`, { method: "POST", headers }), 200);
  const written = {
    "auction.items": ["gavel.item.listed.v1"],
    "auction.bids": [
      "gavel.item.opened.v1",
      "gavel.bid.placed.v1",
      "gavel.bid.placed.v1",
      "gavel.item.withdrawn.v1",
    ],
    "auction.notifications": ["gavel.bidder.outbid.v1", "gavel.bidder.lost.v1", "gavel.bidder.lost.v1"],
    "auction.completed": ["gavel.item.completed.v1"],
  };
  for (const [topic, types] of Object.entries(written)) {
    await expect
      .poll(() => recordsOf(topic, partition, itemId), { timeout: 20_000 })
      .toHaveLength(types.length);
    const events = (await recordsOf(topic, partition, itemId)).map(eventOf);
    expect(events.map(({ type }) => type).toSorted()).toEqual(types.toSorted());
    for (const event of events) {
      expect(event).toMatchObject({ subject: itemId, datacontenttype: "application/json", data: { itemId } });
      expect(new CloudEvent(event).validate()).toBe(true);
    }
  }
});

describe("what the SDK sends and Gavel does not take", () => {
  test.each([
    ["data that is no JSON", { datacontenttype: "text/xml", data: "<bid/>" }, 415, 422],
    ["a type that is not known", { type: "com.example.other" }, 422, 422],
  ])("is a problem in both modes: %s", async (_, more, binary, structured) => {
    const event = bidEvent("lamp-1", more);
    expect((await post(HTTP.binary(event))).status).toBe(binary);
    expect((await post(HTTP.structured(event))).status).toBe(structured);
  });
});

test("an event of more than 64 KiB, with the most of everything, is taken and kept whole", async () => {
  const entries = <Value>(count: number, entry: (index: number) => [string, Value]) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => entry(index)));
  const item = newItem({
    description: "d".repeat(4_000),
    attributes: entries(32, (index) => [`${index}`.padEnd(1_000, "n"), "v".repeat(1_000)]),
  });
  const extensions = entries(16, (index) => [`ext${index}`, "x".repeat(1_024)]);
  const sent = new CloudEvent({ source: "/app", type: "gavel.item.listed.v1", data: item, ...extensions });
  const message = HTTP.structured(sent);
  expect(String(message.body).length).toBeGreaterThan(65_536);
  const read = eventOf(await readRecord(await answered<Coordinates>(post(message), 202)));
  expect(read).toMatchObject({ ...extensions, data: item });
});

test("an event without data needs neither a body nor a content type in binary mode", async () => {
  const headers = {
    "ce-specversion": "1.0",
    "ce-id": "tick",
    "ce-source": "/app",
    "ce-type": "gavel.tick.v1",
    "ce-subject": "lamp-1",
    "ce-time": "2026-01-01T00:00:00Z",
  };
  const told = await answered<Coordinates>(
    call("/v1/events", { key: "trusted", method: "POST", headers }),
    202,
  );
  expect(eventOf(await readRecord(told))).toMatchObject({
    type: "gavel.tick.v1",
    time: "2026-01-01T00:00:00.000Z",
  });
});

test("an attribute is the same text in the log, whatever had to be encoded in its header", async () => {
  const { itemId } = newItem();
  const message = HTTP.binary(bidEvent(itemId, { datacontenttype: "application/json" }));
  const headers = { ...message.headers, "ce-region": "Euro%20%E2%82%AC%20%F0%9F%98%80", "ce-empty": "" };
  const read = eventOf(await readRecord(await answered<Coordinates>(post({ ...message, headers }), 202)));
  expect(read).toMatchObject({ region: "Euro € 😀", empty: "" });
});

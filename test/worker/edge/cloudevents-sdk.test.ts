import { env } from "cloudflare:workers";
import { CloudEvent, type CloudEventV1, HTTP, Kafka, type Message } from "cloudevents";
import { describe, expect, test } from "vitest";
import { configFromEnv } from "../../../src/config.ts";
import type { LogRecord } from "../../../src/kafka/port.ts";
import { createUpstashLog } from "../../../src/kafka/upstash.ts";
import {
  answered,
  call,
  type Coordinates,
  headersOf,
  newBid,
  newItem,
  openItem,
  readRecord,
} from "./client.ts";

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
  const message = { key: record.key, value: record.value, headers: headersOf(record), body: record.value };
  const event = Kafka.toEvent<Record<string, unknown>>({ ...message, timestamp: String(record.timestamp) });
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
    const { edge, ...data } = JSON.parse(String(read.data)) as Record<string, unknown>;
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

/** All of a partition's records of one item, oldest first, from the log itself. */
async function recordsOf(topic: string, partition: number, itemId: string): Promise<LogRecord[]> {
  const log = createUpstashLog(configFromEnv(env).kafka);
  const found: LogRecord[] = [];
  for (let offset = 0; ;) {
    const { records } = await log.fetch({ topic, partition, offset }, Date.now() + 5_000);
    const last = records.at(-1);
    if (last === undefined) return found;
    found.push(...records.filter(({ key }) => key === itemId));
    offset = last.offset + 1;
  }
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

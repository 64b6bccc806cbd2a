import { afterEach, expect, test } from "vitest";
import type { LogRecord } from "../../src/kafka/port.ts";
import { eventTypes, topics } from "../../src/topics.ts";
import type { ReceivedCall, Trace } from "../support/receiver/call.ts";
import { answered, call, type Coordinates, headersOf, newBid, newItem } from "../worker/edge/client.ts";
import { newEndpoint } from "../worker/functions/receiver.ts";
import { readTopic, subscribe, unsubscribe, until } from "./world.ts";

const ids: string[] = [];

afterEach(async () => {
  for (const id of ids.splice(0)) await unsubscribe(id);
});

/** One trace for each thing that a client does. */
const traces = {
  listing: "11111111111111111111111111111111",
  first: "22222222222222222222222222222222",
  second: "33333333333333333333333333333333",
  withdrawal: "44444444444444444444444444444444",
};

const parent = "b7ad6b7169203331";
const waits = { prefer: "wait=10" };

/** One request of a client, in its trace. */
function traced(path: string, trace: keyof typeof traces, body: object): Promise<Coordinates> {
  const traceparent = `00-${traces[trace]}-${parent}-01`;
  return answered(
    call(path, { body, headers: { ...waits, traceparent, tracestate: `gavel=${trace}` } }),
    200,
  );
}

const traceOf = (record: LogRecord): Trace => {
  const { ce_traceparent: traceparent = "", ce_tracestate: tracestate = "" } = headersOf(record);
  return { traceparent, tracestate };
};

/** Trace id and state: a span of its own is checked apart. */
function withoutSpan({ traceparent, tracestate }: Trace): string {
  const [version, traceId, span, flags] = traceparent.split("-");
  expect(span).toMatch(/^[0-9a-f]{16}$/);
  expect(span).not.toBe(parent);
  expect([version, flags]).toEqual(["00", "01"]);
  return `${traceId} ${tracestate}`;
}

const told = (trace: keyof typeof traces): string => `${traces[trace]} gavel=${trace}`;

test("a client's trace goes from its request through the log, what follows from it and the functions' outputs to the receiver's call", async () => {
  const endpoint = await newEndpoint();
  const { id, secret } = await subscribe(endpoint.url);
  ids.push(id);
  await endpoint.verify([secret]);
  const item = newItem();
  const { itemId } = item;
  const { partition } = await traced("/v1/items", "listing", item);
  await traced("/v1/bids", "first", newBid(itemId));
  await traced("/v1/bids", "second", newBid(itemId, { bidderId: "eva", amount: 2_000 }));
  await traced(`/v1/items/${itemId}/withdraw`, "withdrawal", {});

  /** What a topic has of the item: an event's type and trace. */
  const inTopic = async (topic: string): Promise<Record<string, string>> => {
    const records = (await readTopic(topic, partition)).filter(({ key }) => key === itemId);
    const pairs = records.map((record) => [
      `${headersOf(record).ce_type} ${bidderOf(record)}`.trim(),
      withoutSpan(traceOf(record)),
    ]);
    return Object.fromEntries(pairs) as Record<string, string>;
  };
  await until("it is enriched", async () => Object.keys(await inTopic(topics.validated)).length > 0, 20_000);
  expect(await inTopic(topics.items)).toEqual({ [eventTypes.itemListed]: told("listing") });
  expect(await inTopic(topics.journal)).toEqual({
    [eventTypes.itemOpened]: told("listing"),
    [`${eventTypes.bidPlaced} ben`]: told("first"),
    [`${eventTypes.bidPlaced} eva`]: told("second"),
    [eventTypes.itemWithdrawn]: told("withdrawal"),
  });
  expect(await inTopic(topics.completed)).toEqual({ [eventTypes.itemCompleted]: told("withdrawal") });
  expect(await inTopic(topics.validated)).toEqual({ [eventTypes.itemValidated]: told("withdrawal") });
  expect((await inTopic(topics.notifications))[`${eventTypes.bidderOutbid} ben`]).toBe(told("second"));

  const notifications = (await readTopic(topics.notifications, partition)).filter(
    ({ key }) => key === itemId,
  );
  await until("all are delivered", async () => (await endpoint.count()) >= notifications.length, 20_000);
  const { calls } = await endpoint.received();
  for (const record of notifications) {
    const made = calls.find(({ deliveries }) => deliveries[0]?.offset === record.offset);
    expectContinued(made, traceOf(record));
  }
});

function bidderOf({ value }: LogRecord): string {
  const { bidderId } = JSON.parse(value) as { readonly bidderId?: string };
  return bidderId ?? "";
}

/** The call is a span of its own in the record's trace; the event's attributes are the record's. */
function expectContinued(made: ReceivedCall | undefined, record: Trace): void {
  expect(made?.deliveries.map(({ trace }) => trace)).toEqual([record]);
  const { trace = { traceparent: "", tracestate: "" } } = made ?? {};
  expect(withoutSpan(trace)).toBe(withoutSpan(record));
  expect(trace.traceparent).not.toBe(record.traceparent);
}

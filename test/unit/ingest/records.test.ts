import { expect, test } from "vitest";
import { describeEdge } from "../../../src/ingest/enrich.ts";
import { recordMaker } from "../../../src/ingest/records.ts";
import type { ValidEvent } from "../../../src/ingest/validate.ts";
import { partitionFor } from "../../../src/kafka/partitioner.ts";

const now = Date.parse("2026-11-24T12:00:00.000Z");
const traceId = "0af7651916cd43dd8448eb211c80319c";
const berlin = {
  country: "DE",
  region: "Land Berlin",
  city: "Berlin",
  continent: "EU",
  timezone: "Europe/Berlin",
  asn: 3320,
  colo: "TXL",
  latitude: "52.52",
  longitude: "13.40",
  clientIp: "203.0.113.7",
};
const edge = describeEdge(berlin, { id: "mobile", scopes: new Set(), subject: "ben" }, now);

function record(event: Partial<ValidEvent> = {}) {
  const make = recordMaker({
    edge,
    trace: { traceId, flags: "01" },
    topicPrefix: "test.",
    partitionCount: 8,
  });
  return make({
    type: "gavel.bid.placed.v1",
    id: "bid-1",
    source: "/app",
    itemId: "lamp-1",
    data: { itemId: "lamp-1", amount: 5 },
    timestamp: now,
    extensions: [],
    ...event,
  }).record;
}

test("a record is a CloudEvent in Kafka's binary mode, keyed by its item", () => {
  const { headers, value, ...coordinates } = record();
  expect(coordinates).toEqual({
    topic: "test.auction.bids",
    partition: partitionFor("lamp-1", 8),
    key: "lamp-1",
    timestamp: now,
  });
  expect(headers).toEqual([
    { key: "ce_specversion", value: "1.0" },
    { key: "ce_id", value: "bid-1" },
    { key: "ce_source", value: "/app" },
    { key: "ce_type", value: "gavel.bid.placed.v1" },
    { key: "ce_time", value: "2026-11-24T12:00:00.000Z" },
    { key: "ce_subject", value: "lamp-1" },
    {
      key: "ce_traceparent",
      value: expect.stringMatching(new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`)) as string,
    },
    { key: "content-type", value: "application/json" },
  ]);
  expect(JSON.parse(value)).toEqual({ itemId: "lamp-1", amount: 5, edge });
});

test("items go to the items topic, everything else into the journal", () => {
  expect(record({ type: "gavel.item.listed.v1" }).topic).toBe("test.auction.items");
  expect(record({ type: "gavel.item.withdrawn.v1" }).topic).toBe("test.auction.bids");
  expect(record({ type: "gavel.tick.v1", data: {} })).toMatchObject({
    topic: "test.auction.bids",
    value: JSON.stringify({ edge }),
  });
});

test("an event's own trace wins over the request's, and an invalid one starts anew", () => {
  const own = `00-${"1".repeat(32)}-${"2".repeat(16)}-00`;
  const header = (event: Partial<ValidEvent>, key: string) =>
    record(event).headers.find((one) => one.key === key)?.value;
  expect(header({ traceparent: own, tracestate: "a=1" }, "ce_traceparent")).toMatch(
    /^00-1{32}-(?!2{16})[0-9a-f]{16}-00$/,
  );
  expect(header({ traceparent: own, tracestate: "a=1" }, "ce_tracestate")).toBe("a=1");
  expect(header({ traceparent: "garbage", tracestate: "a=1" }, "ce_traceparent")).not.toContain(traceId);
  expect(header({ traceparent: "garbage", tracestate: "a=1" }, "ce_tracestate")).toBeUndefined();
  expect(header({ traceparent: null }, "ce_traceparent")).toContain(traceId);
});

test("events of one batch have their own ids, times, sources and spans", () => {
  const make = recordMaker({ edge, trace: { traceId, flags: "01" }, topicPrefix: "", partitionCount: 8 });
  const event = (id: string, timestamp: number, source: string): ValidEvent => ({
    type: "gavel.bid.placed.v1",
    id,
    source,
    itemId: "lamp-1",
    data: { itemId: "lamp-1" },
    timestamp,
    extensions: [],
  });
  const texts = [event("1", now, "/a"), event("2", now, "/b"), event("3", now + 1, "/b")].map((one) =>
    make(one)
      .record.headers.filter(({ key }) => ["ce_id", "ce_source", "ce_time"].includes(key))
      .map(({ value }) => value),
  );
  expect(texts).toEqual([
    ["1", "/a", "2026-11-24T12:00:00.000Z"],
    ["2", "/b", "2026-11-24T12:00:00.000Z"],
    ["3", "/b", "2026-11-24T12:00:00.001Z"],
  ]);
});

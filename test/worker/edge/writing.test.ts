import { describe, expect, test } from "vitest";
import { partitionFor } from "../../../src/kafka/partitioner.ts";
import {
  answered,
  call,
  clientSubject,
  type Coordinates,
  headersOf,
  newBid,
  newItem,
  openItem,
  readRecord,
} from "./client.ts";

interface Several {
  readonly accepted: number;
  readonly rejected: number;
  readonly results: {
    index: number;
    status: number;
    code?: string;
    offset: number;
    partition: number;
    topic: string;
    id: string;
  }[];
}

describe("a 202 means that the event is in the log", () => {
  test("at the coordinates it tells, keyed and enriched", async () => {
    const item = newItem({ attributes: { "größe 🦁": "42", new: true }, description: "Für Ayşe" });
    const cf = {
      country: "TR",
      city: "İzmir",
      asn: 9121,
      colo: "IST",
      latitude: "38.42",
      longitude: "27.14",
    };
    const headers = { "idempotency-key": "listing-1", "cf-connecting-ip": "203.0.113.7" };
    const response = await call("/v1/items", { body: item, headers, cf });
    expect(response.headers.get("location")).toBe(`/v1/items/${item.itemId}`);
    const told = await answered<Coordinates>(response, 202);
    expect(told).toMatchObject({ id: "listing-1", source: "/credentials/backend", topic: "auction.items" });
    expect(told.partition).toBe(partitionFor(item.itemId, 8));

    const record = await readRecord(told);
    expect(record.key).toBe(item.itemId);
    expect(new Date(record.timestamp).toISOString()).toBe(told.timestamp);
    const { edge, ...data } = JSON.parse(record.value) as Record<string, unknown>;
    expect(data).toEqual(item);
    expect(edge).toEqual({
      country: "TR",
      city: "İzmir",
      asn: 9121,
      colo: "IST",
      cell: expect.stringMatching(/^85[0-9a-f]{13}$/) as string,
      receivedAt: told.timestamp,
      credential: "backend",
    });
    expect(JSON.stringify(record)).not.toContain("203.0.113.7");
    expect(headersOf(record)).toMatchObject({
      ce_specversion: "1.0",
      ce_id: "listing-1",
      ce_source: "/credentials/backend",
      ce_type: "gavel.item.listed.v1",
      ce_time: told.timestamp,
      ce_subject: item.itemId,
      "content-type": "application/json",
    });
  });

  test("with the outcome in the same answer where the client waits for it", async () => {
    const item = await openItem();
    const prefer = { prefer: "wait=10" };
    const response = await call("/v1/bids", { body: newBid(item.itemId), headers: prefer });
    expect(response.headers.get("preference-applied")).toBe("wait=10");
    expect(await answered(response, 200)).toMatchObject({
      topic: "auction.bids",
      outcome: { status: "accepted", highest: { amount: 1000, bidderId: "ben" }, bids: 1 },
    });
    const low = await answered(call("/v1/bids", { body: newBid(item.itemId), headers: prefer }), 200);
    expect(low).toMatchObject({ outcome: { status: "rejected", reason: "too-low" } });
    const again = await answered(call("/v1/items", { body: item, headers: prefer }), 200);
    expect(again).toMatchObject({ outcome: { status: "rejected", reason: "already-listed" } });
  });

  test("also of a withdrawal, which only the seller and a back end may make", async () => {
    const item = await openItem();
    const path = `/v1/items/${item.itemId}/withdraw`;
    const headers = { prefer: "wait=10" };
    expect(await answered(call(path, { method: "POST", key: "client", headers }), 200)).toMatchObject({
      outcome: { status: "rejected", reason: "not-seller" },
    });
    expect(await answered(call(path, { body: { reason: "broken" }, headers }), 200)).toMatchObject({
      outcome: { status: "accepted" },
    });
  });

  test("of the same event again, once applied, says so", async () => {
    const item = await openItem();
    const bid = { body: newBid(item.itemId), headers: { "idempotency-key": "once", prefer: "wait=10" } };
    await answered(call("/v1/bids", bid), 200);
    expect(await answered(call("/v1/bids", bid), 200)).toMatchObject({
      id: "once",
      outcome: { status: "accepted", duplicate: true },
    });
  });
});

describe("several events", () => {
  test("are one answer with a result each, the good ones in the log in the body's order", async () => {
    const { itemId } = newItem();
    const body = [
      newBid(itemId),
      { ...newBid(itemId), amout: 5 },
      newBid(itemId, { amount: 0 }),
      newBid(itemId),
    ];
    const several = await answered<Several>(call("/v1/bids", { body }), 207);
    expect(several).toMatchObject({
      accepted: 2,
      rejected: 2,
      results: [
        { index: 0, status: 202, topic: "auction.bids" },
        {
          index: 1,
          status: 422,
          code: "unknown-field",
          errors: [{ pointer: "/amout", code: "unknown-field" }],
        },
        { index: 2, status: 422, code: "too-small" },
        { index: 3, status: 202 },
      ],
    });
    const [first, , , last] = several.results;
    expect(last?.offset).toBe((first?.offset ?? 0) + 1);
  });

  test("are 202 when all are taken, also as NDJSON and an array of one", async () => {
    const { itemId } = newItem();
    const ndjson = { "content-type": "application/x-ndjson; charset=utf-8" };
    const lines = `${JSON.stringify(newBid(itemId))}\n${JSON.stringify(newBid(itemId))}\n`;
    expect(await answered(call("/v1/bids", { body: lines, headers: ndjson }), 202)).toMatchObject({
      accepted: 2,
    });
    expect(await answered(call("/v1/bids", { body: [newBid(itemId)] }), 202)).toMatchObject({
      accepted: 1,
      results: [{ index: 0, status: 202 }],
    });
  });

  test("are 422 when none are, an empty array as well, in JSON whatever the status", async () => {
    for (const body of [[{}, []], []]) {
      const response = await call("/v1/bids", { body });
      expect(response.headers.get("content-type")).toBe("application/json");
      expect(await answered<Several>(response, 422)).toMatchObject({ accepted: 0, rejected: body.length });
    }
  });

  test("list only what was rejected with return=minimal", async () => {
    const { itemId } = newItem();
    const response = await call("/v1/bids", {
      body: [newBid(itemId), {}],
      headers: { prefer: "return=minimal" },
    });
    expect(response.headers.get("preference-applied")).toBe("return=minimal");
    const { results } = await answered<Several>(response, 207);
    expect(results.map(({ index }) => index)).toEqual([1]);
  });

  test("of a bound subject are refused one by one where they are another's", async () => {
    const { itemId } = newItem();
    const body = [newBid(itemId, { bidderId: clientSubject }), newBid(itemId, { bidderId: "other" })];
    expect(await answered<Several>(call("/v1/bids", { key: "client", body }), 207)).toMatchObject({
      results: [{ status: 202 }, { status: 403, code: "forbidden-subject" }],
    });
  });

  test("a batch of 1,000 is one run of offsets in each partition", async () => {
    const body = Array.from({ length: 1_000 }, (_, index) =>
      newBid(`batch-${index % 40}`, { amount: index + 1 }),
    );
    const { results } = await answered<Several>(call("/v1/bids", { body }), 202);
    expect(new Set(results.map(({ partition, offset }) => `${partition}:${offset}`)).size).toBe(1_000);
    for (let partition = 0; partition < 8; partition += 1) {
      const offsets = results.filter((result) => result.partition === partition).map(({ offset }) => offset);
      const first = offsets[0] ?? 0;
      expect(offsets).toEqual(offsets.map((_, index) => first + index));
    }
  });
});

describe("CloudEvents", () => {
  const structured = { "content-type": "application/cloudevents+json" };
  const bidEvent = (itemId: string, more: Record<string, unknown> = {}) => ({
    specversion: "1.0",
    id: "event-1",
    source: "/app",
    type: "gavel.bid.placed.v1",
    data: newBid(itemId),
    ...more,
  });

  test("are taken in structured, batch and binary mode", async () => {
    const { itemId } = newItem();
    const one = await answered<Coordinates>(
      call("/v1/events", { body: bidEvent(itemId), headers: structured }),
      202,
    );
    expect(one).toMatchObject({ id: "event-1", source: "/app", topic: "auction.bids" });
    const batch = { "content-type": "application/cloudevents-batch+json" };
    const listed = bidEvent(itemId, { type: "gavel.item.listed.v1", data: newItem() });
    expect(
      await answered(call("/v1/events", { body: [bidEvent(itemId), listed], headers: batch }), 202),
    ).toMatchObject({
      results: [{ topic: "auction.bids" }, { topic: "auction.items" }],
    });
    const attributes = { specversion: "1.0", id: "caf%C3%A9", source: "/app", type: "gavel.bid.placed.v1" };
    const headers = Object.fromEntries(
      Object.entries(attributes).map(([name, value]) => [`ce-${name}`, value]),
    );
    expect(await answered(call("/v1/events", { body: newBid(itemId), headers }), 202)).toMatchObject({
      id: "café",
    });
    const quoted = { ...headers, "ce-id": '"a \\"quoted\\" id"' };
    expect(await answered(call("/v1/events", { body: newBid(itemId), headers: quoted }), 202)).toMatchObject({
      id: 'a "quoted" id',
    });
  });

  test("carry a trusted time in the record, and the clock's for everyone else", async () => {
    const { itemId } = newItem();
    const body = bidEvent(itemId, { time: "2026-01-02T03:04:05.678+01:00" });
    const trusted = await answered<Coordinates>(
      call("/v1/events", { key: "trusted", body, headers: structured }),
      202,
    );
    expect(trusted.timestamp).toBe("2026-01-02T02:04:05.678Z");
    const record = await readRecord(trusted);
    expect(headersOf(record).ce_time).toBe(trusted.timestamp);
    const value = JSON.parse(record.value) as { edge: { receivedAt: string } };
    expect(Math.abs(Date.parse(value.edge.receivedAt) - Date.now())).toBeLessThan(60_000);
    const untrusted = await answered<Coordinates>(call("/v1/events", { body, headers: structured }), 202);
    const clocked = JSON.parse((await readRecord(untrusted)).value) as { edge: { receivedAt: string } };
    expect(untrusted.timestamp).toBe(clocked.edge.receivedAt);
  });

  test("continue their own trace, else the request's", async () => {
    const { itemId } = newItem();
    const own = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
    const requests = `00-${"c".repeat(32)}-${"d".repeat(16)}-00`;
    const traceOf = async (event: Record<string, unknown>) => {
      const headers = { ...structured, traceparent: requests, tracestate: "r=1" };
      const told = await answered<Coordinates>(
        call("/v1/events", { body: bidEvent(itemId, event), headers }),
        202,
      );
      const { ce_traceparent, ce_tracestate } = headersOf(await readRecord(told));
      return [ce_traceparent?.replace(/-[0-9a-f]{16}-/, "-span-"), ce_tracestate];
    };
    expect(await traceOf({})).toEqual([`00-${"c".repeat(32)}-span-00`, "r=1"]);
    expect(await traceOf({ traceparent: own, tracestate: "o=1" })).toEqual([
      `00-${"a".repeat(32)}-span-01`,
      "o=1",
    ]);
    expect((await traceOf({ traceparent: "broken" }))[1]).toBeUndefined();
  });

  test("a tick is for a trusted clock alone", async () => {
    const tick = bidEvent("", {
      type: "gavel.tick.v1",
      subject: "batch-1",
      time: "2026-01-01T00:00:00Z",
      data: undefined,
    });
    const told = await answered<Coordinates>(
      call("/v1/events", { key: "trusted", body: tick, headers: structured }),
      202,
    );
    expect(headersOf(await readRecord(told))).toMatchObject({
      ce_type: "gavel.tick.v1",
      ce_subject: "batch-1",
    });
    expect(await answered(call("/v1/events", { body: tick, headers: structured }), 403)).toMatchObject({
      code: "missing-scope",
    });
    const ahead = { ...tick, time: new Date(Date.now() + 60_000).toISOString() };
    const refused = call("/v1/events", { key: "trusted", body: ahead, headers: structured });
    expect(await answered(refused, 422)).toMatchObject({ code: "time-ahead" });
  });
});

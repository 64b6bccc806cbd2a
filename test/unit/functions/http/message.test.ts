import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseCloudEvents } from "../../../../src/ingest/parse.ts";
import { encodeHeaderValue, messageOf } from "../../../../src/functions/http/message.ts";
import { functionRecord, plainRecord } from "./records.ts";

const trace = "0af7651916cd43dd8448eb211c80319c";

describe("one record", () => {
  test("in structured mode is a JSON event", () => {
    const { id, headers, body } = messageOf([functionRecord()], "structured");
    expect(id).toBe("auction.notifications/3/41/notify");
    expect(headers).toEqual({ "content-type": "application/cloudevents+json" });
    expect(JSON.parse(body)).toEqual({
      specversion: "1.0",
      id: "auction.bids/3/17/1",
      source: "/groups/auction/3",
      type: "gavel.bidder.outbid.v1",
      time: "2026-11-24T02:24:56.432Z",
      subject: "chair-1",
      partitionkey: "chair-1",
      gaveldelivery: "auction.notifications/3/41/notify",
      gaveltopic: "auction.notifications",
      gavelpartition: 3,
      gaveloffset: "41",
      gavelattempt: 1,
      datacontenttype: "application/json",
      data: { itemId: "chair-1", amount: 1250 },
    });
  });

  test("in binary mode has its attributes in headers, and its value as it is in the body", () => {
    const record = functionRecord({
      key: "Ü 1",
      value: '{ "amount": 1.0 }',
      headers: { ce_subject: 'a "b" 100%' },
    });
    const { headers, body } = messageOf([record], "binary");
    expect(headers).toEqual({
      "ce-specversion": "1.0",
      "ce-id": "auction.bids/3/17/1",
      "ce-source": "/groups/auction/3",
      "ce-type": "gavel.bidder.outbid.v1",
      "ce-time": "2026-11-24T02:24:56.432Z",
      "ce-subject": "a%20%22b%22%20100%25",
      "ce-partitionkey": "%C3%9C%201",
      "ce-gaveldelivery": "auction.notifications/3/41/notify",
      "ce-gaveltopic": "auction.notifications",
      "ce-gavelpartition": "3",
      "ce-gaveloffset": "41",
      "ce-gavelattempt": "1",
      "content-type": "application/json",
    });
    expect(body).toBe('{ "amount": 1.0 }');
  });

  test("keeps numbers that a parser would change", () => {
    const { body } = messageOf(
      [functionRecord({ value: '{"id":12345678901234567890,"price":1.10}' })],
      "structured",
    );
    expect(body).toContain('"data":{"id":12345678901234567890,"price":1.10}');
  });

  test("that is no JSON is an event with a text", () => {
    const { body } = messageOf([plainRecord({ value: 'say "no"' })], "structured");
    expect(JSON.parse(body)).toMatchObject({
      datacontenttype: "text/plain; charset=utf-8",
      data: 'say "no"',
    });
  });

  test.each(["structured", "binary"] as const)("without a value is an event without data: %s", (mode) => {
    const { headers, body } = messageOf([functionRecord({ value: "" })], mode);
    if (mode === "structured") expect(JSON.parse(body)).not.toHaveProperty("data");
    else expect([body, headers["content-type"]]).toEqual(["", undefined]);
  });

  test("continues its trace with a span of the attempt", () => {
    const headers = { ce_traceparent: `00-${trace}-b7ad6b7169203331-01`, ce_tracestate: "a=1" };
    const continued = { traceparent: `00-${trace}-00f067aa0ba902b7-01`, tracestate: "a=1" };
    const own = { traceparent: headers.ce_traceparent, tracestate: "a=1" };
    for (const mode of ["structured", "binary"] as const) {
      const message = messageOf([functionRecord({ headers, ...continued })], mode);
      expect(message.headers).toMatchObject(continued);
      // What the event itself says is where it began.
      if (mode === "structured") expect(JSON.parse(message.body)).toMatchObject(own);
      else
        expect(message.headers).toMatchObject({
          "ce-traceparent": own.traceparent,
          "ce-tracestate": "a=1",
        });
    }
  });

  test("hands no trace on that is none", () => {
    const headers = { ce_traceparent: "garbage", ce_tracestate: "a=1" };
    const message = messageOf([functionRecord({ headers })], "structured");
    expect(message.headers).not.toHaveProperty("traceparent");
    expect(JSON.parse(message.body)).not.toHaveProperty("traceparent");
    expect(JSON.parse(message.body)).not.toHaveProperty("tracestate");
  });
});

describe("several records", () => {
  const first = functionRecord({ offset: 41 });
  const last = functionRecord({ offset: 44, value: "no json" });

  test("are a batch in their order, whatever the mode", () => {
    for (const mode of ["structured", "binary"] as const) {
      const { headers, body } = messageOf([first, last], mode);
      expect(headers).toEqual({ "content-type": "application/cloudevents-batch+json" });
      expect(JSON.parse(body)).toMatchObject([
        { gaveloffset: "41", data: { itemId: "chair-1", amount: 1250 } },
        { gaveloffset: "44", data: "no json" },
      ]);
    }
  });

  test("have each its own trace, and the call none", () => {
    const other = "4bf92f3577b34da6a3ce929d0e0e4736";
    const traced = [trace, other].map((id, index) => {
      const ce_traceparent = `00-${id}-b7ad6b7169203331-01`;
      const traceparent = `00-${id}-00f067aa0ba902b7-01`;
      return functionRecord({ offset: 41 + index, headers: { ce_traceparent }, traceparent });
    });
    const { headers, body } = messageOf([traced[0] ?? first, traced[1] ?? last], "structured");
    expect(headers).not.toHaveProperty("traceparent");
    expect(JSON.parse(body)).toMatchObject([
      { traceparent: `00-${trace}-b7ad6b7169203331-01` },
      { traceparent: `00-${other}-b7ad6b7169203331-01` },
    ]);
  });

  test("have an id made of the first and the last one's", () => {
    const { id } = messageOf([first, functionRecord({ offset: 42 }), last], "structured");
    expect(id).toBe("auction.notifications/3/41/notify..auction.notifications/3/44/notify");
    expect(messageOf([first, { ...last, attempt: 2 }], "structured").id).toBe(id);
  });
});

test("a header's value is percent-encoded as the binding says", () => {
  // The example of the specification.
  expect(encodeHeaderValue("Euro € 😀")).toBe("Euro%20%E2%82%AC%20%F0%9F%98%80");
  expect(encodeHeaderValue("!#$&'()*+,-./:;<=>?@[\\]^_`{|}~")).toBe("!#$&'()*+,-./:;<=>?@[\\]^_`{|}~");
  expect(encodeHeaderValue("\r\n\u0000\u007f\u0085")).toBe("%0D%0A%00%7F%C2%85");
});

test("whatever a record holds, a reader of CloudEvents gets the same from both modes", () => {
  const text = fc.string({ unit: "binary", minLength: 1 });
  const records = fc.record({
    key: fc.string(),
    value: fc.oneof(fc.json(), fc.constant("")),
    subject: text,
    tenant: text,
  });
  fc.assert(
    fc.property(records, ({ key, value, subject, tenant }) => {
      const record = functionRecord({ key, value, headers: { ce_subject: subject, ce_tenant: tenant } });
      const read = (mode: "structured" | "binary"): unknown => {
        const { headers, body } = messageOf([record], mode);
        const bytes = new TextEncoder().encode(body === "" ? "null" : body);
        const type = { "content-type": "application/json", ...headers };
        return parseCloudEvents(new Headers(type), bytes).documents[0];
      };
      const {
        datacontenttype: _,
        data = null,
        ...attributes
      } = read("structured") as Record<string, unknown>;
      const inBinary = read("binary") as Record<string, unknown>;
      expect(inBinary.data).toEqual(data);
      for (const [name, attribute] of Object.entries(attributes))
        expect(inBinary[name]).toBe(String(attribute));
    }),
  );
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cloudEventOf, plainRecordType } from "../../../../src/functions/http/cloud-event.ts";
import { functionRecord, plainRecord } from "./records.ts";

const attributesOf = (record: Parameters<typeof cloudEventOf>[0]) =>
  Object.fromEntries(cloudEventOf(record).attributes);

test("a record's event has its attributes, its key, its coordinates and its delivery", () => {
  const record = functionRecord({
    attempt: 2,
    headers: { ce_traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", ce_tenant: "a b" },
  });
  expect(attributesOf(record)).toEqual({
    specversion: "1.0",
    id: "auction.bids/3/17/1",
    source: "/groups/auction/3",
    type: "gavel.bidder.outbid.v1",
    time: "2026-11-24T02:24:56.432Z",
    subject: "chair-1",
    traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    tenant: "a b",
    partitionkey: "chair-1",
    gaveldelivery: "auction.notifications/3/41/notify",
    gaveltopic: "auction.notifications",
    gavelpartition: 3,
    gaveloffset: "41",
    gavelattempt: 2,
  });
  expect(cloudEventOf(record).data).toEqual({
    contentType: "application/json",
    text: '{"itemId":"chair-1","amount":1250}',
    isJson: true,
  });
});

test("a record without CloudEvents headers is an event made of its coordinates", () => {
  const { attributes, data } = cloudEventOf(plainRecord({ key: "" }));
  expect(Object.fromEntries(attributes)).toEqual({
    specversion: "1.0",
    id: "auction.notifications/3/41",
    source: "/topics/auction.notifications",
    type: plainRecordType,
    time: "2026-11-24T02:24:56.500Z",
    gaveldelivery: "auction.notifications/3/41/notify",
    gaveltopic: "auction.notifications",
    gavelpartition: 3,
    gaveloffset: "41",
    gavelattempt: 1,
  });
  expect(data?.isJson).toBe(true);
});

describe("an attribute", () => {
  test.each([
    ["with a name that CloudEvents do not allow", "ce_Tenant-Id"],
    ["without a name", "ce_"],
    ["that the data says", "ce_data"],
    ["that the content type says", "ce_datacontenttype"],
    ["of the gateway's own", "gavel_sequence"],
  ])("%s is left out", (_, key) => {
    expect(attributesOf(functionRecord({ headers: { [key]: "x" } }))).toEqual(attributesOf(functionRecord()));
  });

  test("that is empty is left out, and a required one made of the coordinates", () => {
    const { id, subject } = attributesOf(functionRecord({ headers: { ce_id: "", ce_subject: "" } }));
    expect(id).toBe("auction.notifications/3/41");
    expect(subject).toBeUndefined();
  });

  test("cannot pretend to be another delivery, key or version", () => {
    const headers = {
      ce_gaveldelivery: "other",
      ce_gaveltopic: "other",
      ce_gaveloffset: "0",
      ce_gavelattempt: "9",
      ce_partitionkey: "other",
      ce_specversion: "0.3",
    };
    expect(attributesOf(functionRecord({ headers }))).toEqual(attributesOf(functionRecord()));
  });

  test("is well-formed Unicode, whatever the record holds", () => {
    const { subject, partitionkey } = attributesOf(
      functionRecord({ key: "\udc00", headers: { ce_subject: "a\ud800" } }),
    );
    expect([subject, partitionkey]).toEqual(["a\u{fffd}", "\u{fffd}"]);
  });

  test("holds no control and no noncharacter, whatever the record holds", () => {
    const headers = { ce_subject: "a\r\nb", ce_tenant: "\u0085\ufffe\u{1ffff}ü" };
    const { subject, tenant } = attributesOf(functionRecord({ headers }));
    expect([subject, tenant]).toEqual(["a\u{fffd}\u{fffd}b", "\u{fffd}\u{fffd}\u{fffd}ü"]);
  });

  test.each(["yesterday", "2026-02-30T00:00:00Z", "1"])(
    "time is the record's where it is none: %s",
    (time) => {
      expect(attributesOf(functionRecord({ headers: { ce_time: time } })).time).toBe(
        "2026-11-24T02:24:56.500Z",
      );
    },
  );

  test.each([-1, Number.MAX_SAFE_INTEGER])(
    "time is left out where the record has none either: %d",
    (timestamp) => {
      expect(attributesOf(plainRecord({ timestamp })).time).toBeUndefined();
    },
  );
});

describe("data", () => {
  const dataOf = (value: string, contentType?: string) =>
    cloudEventOf(functionRecord({ value, headers: { "content-type": contentType } })).data;

  test.each([
    ["application/json", "5"],
    ["application/merge-patch+json; charset=utf-8", "{}"],
    ["Application/JSON", "null"],
  ])("declared as %s is JSON", (contentType, value) => {
    expect(dataOf(value, contentType)).toEqual({ contentType, text: value, isJson: true });
  });

  test("without a content type is JSON", () => {
    expect(dataOf("[1]")).toEqual({ contentType: "application/json", text: "[1]", isJson: true });
  });

  test("that is declared JSON and is not is sent as text", () => {
    expect(dataOf("{not json", "application/json")).toEqual({
      contentType: "text/plain; charset=utf-8",
      text: "{not json",
      isJson: false,
    });
  });

  test("of another content type is text, also where it could be read as JSON", () => {
    expect(dataOf("5", "text/csv")).toEqual({ contentType: "text/csv", text: "5", isJson: false });
  });

  test.each(["no media type", "a/b\r\nx-injected: 1", "", "application/cloudevents+json"])(
    "with a content type that no header may hold here counts as undeclared: %j",
    (contentType) => {
      expect(dataOf("{}", contentType)?.contentType).toBe("application/json");
    },
  );

  test("is absent where the record has no value", () => {
    expect(cloudEventOf(functionRecord({ value: "" }))).not.toHaveProperty("data");
  });
});

test("whatever a record holds, its event has what CloudEvents ask for", () => {
  const header = fc.record({
    key: fc.oneof(
      fc.string(),
      fc.string().map((name) => `ce_${name}`),
      fc.constantFrom("ce_id", "ce_time", "content-type"),
    ),
    value: fc.string({ unit: "binary" }),
  });
  fc.assert(
    fc.property(fc.array(header), fc.string({ unit: "binary" }), fc.string(), (headers, value, key) => {
      const { attributes } = cloudEventOf(plainRecord({ headers, value, key }));
      for (const name of ["id", "source", "type", "specversion"]) expect(attributes.get(name)).toBeTruthy();
      for (const [name, text] of attributes) {
        expect(name).toMatch(/^[a-z0-9]+$/);
        expect(String(text)).not.toBe("");
        expect(String(text).isWellFormed()).toBe(true);
        expect(String(text)).not.toMatch(/[\p{Cc}\p{Noncharacter_Code_Point}]/u);
      }
    }),
  );
});

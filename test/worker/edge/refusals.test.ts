import { describe, expect, test } from "vitest";
import { answered, call, type Call, clientSubject, newBid, newItem } from "./client.ts";

interface ProblemBody {
  readonly status: number;
  readonly code: string;
  readonly requestId: string;
  readonly retryable: boolean;
  readonly errors: unknown[];
}

/** The problem that a call answers, once all that every problem has is checked. */
async function problemOf(
  path: string,
  options: Call = {},
): Promise<ProblemBody & { readonly headers: Headers }> {
  const response = await call(path, options);
  const body = await response.json<ProblemBody>();
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  expect(body.status).toBe(response.status);
  expect(body.requestId).toBe(response.headers.get("x-request-id"));
  return { ...body, headers: response.headers };
}

const bid = newBid("lamp-1");
const bytes = (text: string) => new TextEncoder().encode(text);

describe("credentials", () => {
  test.each([
    ["none", {}],
    ["another scheme", { authorization: "Basic Z2F2ZWw6Z2F2ZWw=" }],
    ["a key that is not known", { authorization: "Bearer gvl_nobody_secret" }],
    ["a known key with another secret", { authorization: "Bearer gvl_backend_secret" }],
    ["no key at all", { authorization: "Bearer x" }],
  ])("401 with %s", async (_, headers) => {
    const problem = await problemOf("/v1/bids", { key: null, body: bid, headers });
    expect(problem).toMatchObject({ status: 401, code: "unauthenticated", retryable: false });
    expect(problem.headers.get("www-authenticate")).toContain("Bearer");
  });

  test("403 without the scope, whatever the body", async () => {
    for (const path of ["/v1/items", "/v1/bids", "/v1/events", "/v1/items/lamp-1/withdraw"]) {
      expect(await problemOf(path, { key: "operator", body: "{" })).toMatchObject({
        status: 403,
        code: "missing-scope",
      });
    }
  });

  test("403 for a subject that the credential is not bound to", async () => {
    const problem = await problemOf("/v1/items", { key: "client", body: newItem() });
    expect(problem).toMatchObject({ status: 403, code: "forbidden-subject" });
    await answered(call("/v1/items", { key: "client", body: newItem({ sellerId: clientSubject }) }), 202);
  });
});

describe("bodies", () => {
  test.each([
    ["malformed JSON", "{", 400, "malformed-json"],
    ["a key twice", '{"itemId":"a","itemId":"b"}', 400, "duplicate-key"],
    ["bytes that are not UTF-8", Uint8Array.of(0x22, 0xff, 0x22), 400, "invalid-utf8"],
    ["nesting without an end", "[".repeat(100_000), 400, "too-deep"],
    ["a number that would be another one", '{"amount":9007199254740993}', 400, "imprecise-number"],
    ["a number that is none", '{"amount":1e999}', 400, "imprecise-number"],
    ["nothing", "", 400, "malformed-json"],
    ["a text", '"bid"', 422, "invalid-type"],
    ["null", "null", 422, "invalid-type"],
    ["too many events", JSON.stringify(Array.from({ length: 1_001 }, () => bid)), 413, "too-many-events"],
    ["too many bytes", bytes(" ".repeat(1_048_577)), 413, "body-too-large"],
  ])("of %s", async (_, body, status, code) => {
    expect(await problemOf("/v1/bids", { body })).toMatchObject({ status, code });
  });

  test("without a declared length are cut off at the limit", async () => {
    let sent = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 65_536;
        controller.enqueue(new Uint8Array(65_536).fill(0x20));
      },
    });
    expect(await problemOf("/v1/bids", { body: endless })).toMatchObject({
      status: 413,
      code: "body-too-large",
    });
    expect(sent).toBeLessThan(4_000_000);
  });

  test.each([
    ["/v1/bids", "text/plain"],
    ["/v1/bids", "application/json; charset=iso-8859-1"],
    ["/v1/bids", "application/cloudevents+json"],
    ["/v1/events", "application/json"],
    ["/v1/events", "application/x-ndjson"],
    ["/v1/items/lamp-1/withdraw", "application/x-ndjson"],
  ])("of %s as %s are 415", async (path, type) => {
    const problem = await problemOf(path, { body: JSON.stringify(bid), headers: { "content-type": type } });
    expect(problem).toMatchObject({ status: 415, code: "unsupported-media-type" });
  });

  test("without a content type are 415", async () => {
    const blob = bytes(JSON.stringify(bid));
    const untyped = call("/v1/bids", { body: blob, headers: { "content-type": "" } });
    expect((await untyped).status).toBe(415);
  });

  test("with several faults tell them all, each at its pointer", async () => {
    const { errors, ...problem } = await problemOf("/v1/bids", {
      body: { itemId: "..", amount: 0, amout: 1 },
    });
    expect(problem).toMatchObject({ status: 422, code: "invalid-event" });
    expect(errors).toHaveLength(5);
    expect(errors).toContainEqual(expect.objectContaining({ pointer: "/bidderId", code: "required" }));
  });

  test("of a withdrawal may be absent, and cannot name another item", async () => {
    expect((await call("/v1/items/lamp-1/withdraw", { method: "POST" })).status).toBe(202);
    const other = await problemOf("/v1/items/lamp-1/withdraw", { body: { itemId: "lamp-2" } });
    expect(other).toMatchObject({ status: 422, code: "unknown-field", errors: [{ pointer: "/itemId" }] });
    expect(await problemOf("/v1/items/a%20b/withdraw", { body: {} })).toMatchObject({ status: 422 });
  });
});

describe("paths, methods and parameters", () => {
  test("a path that reads like a pattern is one request like any other", async () => {
    const problem = await problemOf("/*");
    expect(problem).toMatchObject({ status: 404, requestId: problem.headers.get("x-request-id") });
  });

  test("a path that is not there is 404, a method that is not allowed 405 with Allow", async () => {
    expect(await problemOf("/v1/nothing")).toMatchObject({ status: 404, code: "not-found" });
    const post = await problemOf("/v1/bids", { method: "DELETE" });
    expect(post).toMatchObject({ status: 405, code: "method-not-allowed" });
    expect(post.headers.get("allow")).toBe("POST, OPTIONS");
    expect((await problemOf("/v1/items", { method: "PUT", body: {} })).headers.get("allow")).toBe(
      "GET, HEAD, POST, OPTIONS",
    );
  });

  test.each([
    "/v1/items?limit=0",
    "/v1/items?limit=x",
    "/v1/items?sort=oldest",
    "/v1/items?cursor=x",
    "/v1/items?endsBefore=tomorrow",
    "/v1/items/lamp-1/bids?before=-1",
    "/v1/items/lamp-1?after=auction.bids:0",
    "/v1/items/lamp-1?after=other:0:0",
    "/v1/stats/windows?seconds=15",
    "/v1/stats/cells?resolution=6",
  ])("%s is 400", async (path) => {
    expect(await problemOf(path)).toMatchObject({ status: 400, code: "invalid-parameter" });
  });

  test("an Idempotency-Key that no event's id can be is 400", async () => {
    // The runtime reads what is not UTF-8 as U+FFFD, so that two keys would become one.
    for (const key of ["x".repeat(257), "caf\u{fffd}"]) {
      const headers = { "idempotency-key": key };
      expect(await problemOf("/v1/bids", { body: bid, headers })).toMatchObject({
        status: 400,
        code: "invalid-header",
      });
    }
  });

  test("an attribute in a header that CloudEvents does not know, or that is not UTF-8, is refused", async () => {
    const attributes = {
      "ce-specversion": "1.0",
      "ce-id": "1",
      "ce-source": "/test",
      "ce-type": "gavel.bid.placed.v1",
    };
    const binary = (more: Record<string, string>) =>
      problemOf("/v1/events", { body: bid, headers: { ...attributes, ...more } });
    for (const name of ["__proto__", "foo-bar"]) {
      expect(await binary({ [`ce-${name}`]: "x" }), name).toMatchObject({
        status: 422,
        code: "unknown-field",
      });
    }
    for (const [name, value] of [
      ["ce-data", "{}"],
      ["ce-datacontenttype", "application/json"],
      ["ce-source", "caf\u{fffd}"],
      ["ce-source", "caf%E9"],
    ] as const) {
      expect(await binary({ [name]: value }), name).toMatchObject({ status: 400, code: "invalid-header" });
    }
  });

  test("an item that is not known is 404", async () => {
    for (const path of [
      "/v1/items/nobody-listed-this",
      "/v1/items/nobody-listed-this/bids",
      "/v1/items/a%20b",
    ]) {
      expect(await problemOf(path)).toMatchObject({ status: 404, code: "unknown-item" });
    }
  });
});

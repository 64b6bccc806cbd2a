/**
 * The real Worker under whatever clients send: every answer is one that the interface knows, and none
 * is the gateway's own failure. `SEED=17` plays a run again, `RUNS=5000` makes it longer.
 */
import { env } from "cloudflare:workers";
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { problemKinds } from "../../../src/lib/problem.ts";
import { routes } from "../../../src/routes/table.ts";
import { wakeAll } from "../partition/world.ts";
import { call, newBid, newItem } from "./client.ts";

const { TEST_SEED: given = "", TEST_RUNS: runs = "" } = env as unknown as Record<string, string | undefined>;
const seed = given === "" ? Math.floor(Math.random() * 2 ** 31) : Number(given);
const numRuns = runs === "" ? 150 : Number(runs);
console.log(`seed ${seed}; play it again with SEED=${seed}`);

// A question for an event is 503 while a partition has records that it has not come to.
beforeAll(wakeAll);

/** What a route that writes takes, to be changed. */
const valid: Readonly<Record<string, unknown>> = {
  "/v1/items": newItem(),
  "/v1/bids": newBid("lamp-1"),
  "/v1/items/:itemId/withdraw": { reason: "broken" },
  "/v1/events": {
    specversion: "1.0",
    id: "1",
    source: "/fuzz",
    type: "gavel.bid.placed.v1",
    datacontenttype: "application/json",
    data: newBid("lamp-1"),
  },
  "/v1/profiles/:profileId": { displayName: "Ada", country: "DE" },
  "/v1/subscriptions": { url: "https://hooks.example.org/gavel", types: ["gavel.bidder.won.v1"] },
  "/v1/replays": { analysis: "event-rates", from: 0 },
  "/v1/groups/:group/dead-letters/redrive": { ids: ["a"] },
  "/v1/groups/:group/partitions/:partition/seek": { offset: 0 },
};

const paths = Object.entries(routes).flatMap(([pattern, methods]) =>
  (["POST", "PUT"] as const).flatMap((method) =>
    methods[method] === undefined ? [] : [{ pattern, method }],
  ),
);

const encoder = new TextEncoder();

/** No id that another file writes: a withdrawal from here would meet its item. */
const parameter = fc.oneof(
  fc.constantFrom(
    "0",
    "notify",
    "lamp-1",
    "__defineGetter__",
    "..",
    "%2e%2e",
    "%00",
    "%ff",
    "a%20b",
    "%",
    "999999999999999999999",
  ),
  // By itself it would sometimes be `toString` or the like.
  fc.string({ minLength: 1, maxLength: 8 }).map((text) => encodeURIComponent(`${text}~`)),
);

/** A document with pieces taken out, doubled or put in. */
const changed = (document: unknown) =>
  fc
    .array(
      fc.record({
        at: fc.nat(),
        remove: fc.nat(4),
        insert: fc.oneof(
          fc.constantFrom(
            "",
            "1e999",
            "9007199254740993",
            "-1",
            "null",
            "{}",
            "[",
            '"',
            "\\ud800",
            '"__proto__":1,',
          ),
          fc.string({ unit: "binary", maxLength: 4 }),
        ),
      }),
      { maxLength: 3 },
    )
    .map((edits) =>
      edits.reduce((text, { at, remove, insert }) => {
        const place = at % (text.length + 1);
        return text.slice(0, place) + insert + text.slice(place + remove);
      }, JSON.stringify(document)),
    );

const bodyOf = (document: unknown) =>
  fc.oneof(
    { weight: 4, arbitrary: changed(document) },
    { weight: 1, arbitrary: changed([document, document, 5]) },
    { weight: 1, arbitrary: fc.json() },
    { weight: 1, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 200 }) },
  );

const headerText = fc.oneof(
  { weight: 9, arbitrary: fc.string({ maxLength: 20 }) },
  { weight: 1, arbitrary: fc.constantFrom("caf\u00e9", "\u0080", "\u{fffd}") },
);

/** A header that mostly is not there: what it holds keeps a request from going further. */
const seldom = (...values: readonly string[]) =>
  fc.oneof(
    { weight: 12, arbitrary: fc.constant(undefined) },
    { weight: 2, arbitrary: fc.constantFrom(...values) },
    { weight: 1, arbitrary: headerText },
  );

const headers = fc.record({
  "content-type": seldom(
    "application/cloudevents+json",
    "application/cloudevents-batch+json",
    "application/x-ndjson",
    "application/json; charset=utf-16",
  ),
  "content-encoding": seldom("gzip", "br", "identity"),
  accept: seldom("*/*", "application/json;q=0", "text/*"),
  prefer: seldom("return=minimal", "wait=0", "wait=x", 'return="'),
  "idempotency-key": seldom("1"),
  traceparent: seldom(`00-${"a".repeat(32)}-${"b".repeat(16)}-01`),
  tracestate: seldom("a=1,a=2", "a=1"),
  "x-forwarded-for": seldom("203.0.113.7", "::1"),
  "ce-specversion": seldom("1.0", "0.3"),
  "ce-id": seldom("1"),
  "ce-source": seldom("/a"),
  "ce-type": seldom("gavel.bid.placed.v1", "gavel.tick.v1"),
  "ce-time": seldom("2026-01-01T00:00:00Z"),
  "ce-ext": seldom("%FF", '"', "%E2%82%AC"),
});

/** Without what no client can send. */
function sendable(entries: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(entries).flatMap(([name, value]) => {
      try {
        return value === undefined ? [] : [...new Headers({ [name]: value })];
      } catch {
        return [];
      }
    }),
  );
}

/** Every answer that is no success is a problem of the interface's, or the results of a batch. */
async function judge(response: Response): Promise<void> {
  const text = await response.text();
  expect(response.headers.get("x-request-id"), text).not.toBeNull();
  expect(response.status, text).toBeLessThan(500);
  if (response.status < 400) return;
  const body = JSON.parse(text) as Record<string, unknown>;
  if (response.headers.get("content-type") === "application/json") {
    expect([response.status, body.accepted]).toEqual([422, 0]);
    return;
  }
  expect(response.headers.get("content-type"), text).toBe("application/problem+json");
  expect(Object.keys(problemKinds)).toContain(body.code);
  expect(body).toMatchObject({ status: response.status, requestId: response.headers.get("x-request-id") });
}

test.each(paths)(
  "$method $pattern answers anything with what the interface knows",
  async ({ pattern, method }) => {
    const requests = fc.record({ body: bodyOf(valid[pattern] ?? { any: 1 }), entries: headers, parameter });
    const isForEvents = /^\/v1\/(?:items|bids|events)/.test(pattern);
    // An event in its structured form, where nothing else is said.
    const type = pattern === "/v1/events" ? "application/cloudevents+json" : "application/json";
    const statuses = new Set<number>();
    await fc.assert(
      fc.asyncProperty(requests, async ({ body, entries, parameter: value }) => {
        const path = pattern.replaceAll(/:[A-Za-z]+/g, () => value);
        const bytes = typeof body === "string" ? encoder.encode(body) : Uint8Array.from(body);
        const response = await call(path, {
          key: isForEvents ? "trusted" : "operator",
          method,
          body: bytes,
          headers: { "content-type": type, ...sendable(entries) },
        });
        statuses.add(response.status);
        await judge(response);
      }),
      { seed, numRuns },
    );
    // Some get through, or nothing behind the first refusals would have been tried.
    if (isForEvents) expect([...statuses]).toEqual(expect.arrayContaining([202, 400, 422]));
  },
);

test("any path, query, method and credential has an answer that the interface knows", async () => {
  const query = fc.dictionary(
    fc.constantFrom(
      "limit",
      "cursor",
      "after",
      "before",
      "seconds",
      "category",
      "from",
      "sort",
      "attribute.x",
      "__proto__",
    ),
    fc.string({ maxLength: 12 }),
    { maxKeys: 3 },
  );
  const request = fc.record({
    pattern: fc.oneof(fc.constantFrom(...Object.keys(routes)), fc.webPath()),
    method: fc.constantFrom("GET", "HEAD", "OPTIONS", "PATCH", "DELETE", "PURGE"),
    parameter,
    query,
    authorization: seldom("Bearer gvl_a_b"),
    key: fc.constantFrom("operator", "backend", "client"),
  });
  await fc.assert(
    fc.asyncProperty(
      request,
      async ({ pattern, method, parameter: value, query: search, authorization, key }) => {
        const path = pattern.replaceAll(/:[A-Za-z]+/g, () => value);
        const more = sendable({ authorization });
        const parameters = new URLSearchParams(search);
        const response = await call(`${path}?${parameters.toString()}`, {
          key: key as "operator",
          method,
          headers: more,
        });
        if (method !== "HEAD") return judge(response);
        expect([response.status < 500, await response.text()]).toEqual([true, ""]);
      },
    ),
    { seed, numRuns: numRuns * 3 },
  );
});

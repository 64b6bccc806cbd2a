import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { eventTypes } from "../../../src/topics.ts";
import { answered, call, type Coordinates, headersOf, keys, newBid, newItem, readRecord } from "./client.ts";

type Line = Readonly<Record<string, unknown>>;

let lines: Line[] = [];

beforeEach(() => {
  lines = [];
  for (const method of ["log", "warn", "error"] as const) {
    vi.spyOn(console, method).mockImplementation((text: unknown) => {
      lines.push(JSON.parse(String(text)) as Line);
    });
  }
});

afterEach(() => vi.restoreAllMocks());

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const other = "0af7651916cd43dd8448eb211c80319c";
const parentOf = (trace: string): string => `00-${trace}-b7ad6b7169203331-01`;

/** The one line that a request leaves behind its answer. */
async function lineOf(request: Promise<Response>): Promise<Line> {
  const response = await request;
  const requestId = response.headers.get("x-request-id");
  const found = lines.filter((line) => line["event"] === "request" && line["requestId"] === requestId);
  expect(found).toHaveLength(1);
  return found[0] ?? {};
}

test("an operation leaves one line with its request's and its event's trace's id, and the credential", async () => {
  const item = newItem();
  const headers = { traceparent: parentOf(traceId) };
  const line = await lineOf(call("/v1/items", { body: item, headers }));
  expect(line).toMatchObject({
    level: "info",
    method: "POST",
    route: "/v1/items",
    status: 202,
    traceId,
    credential: "backend",
    accepted: 1,
    rejected: 0,
  });
});

test("a request without a trace begins one, by which its event is found in the log", async () => {
  const placed = call("/v1/bids", { body: newBid("nothing-1") });
  const coordinates = await answered<Coordinates>((await placed).clone(), 202);
  const line = await lineOf(placed);
  expect(headersOf(await readRecord(coordinates))["ce_traceparent"]?.split("-")[1]).toBe(line["traceId"]);
  expect(line["traceId"]).toMatch(/^(?!0{32})[0-9a-f]{32}$/);
});

test("an event's own trace wins, and a batch's are named: ten at most", async () => {
  const event = (trace: string) => ({
    specversion: "1.0",
    id: crypto.randomUUID(),
    source: "/tests",
    type: eventTypes.bidPlaced,
    data: newBid("nothing-2"),
    traceparent: parentOf(trace),
  });
  const headers = { "content-type": "application/cloudevents+json", traceparent: parentOf(traceId) };
  expect(await lineOf(call("/v1/events", { body: event(other), headers }))).toMatchObject({ traceId: other });
  const batch = Array.from({ length: 20 }, (_, index) =>
    event(`${10 + index}f7651916cd43dd8448eb211c80319c`),
  );
  headers["content-type"] = "application/cloudevents-batch+json";
  const line = await lineOf(call("/v1/events", { body: batch, headers }));
  expect(line).toMatchObject({ traceId, accepted: 20 });
  expect(line["traceIds"]).toEqual(batch.slice(0, 10).map(({ traceparent }) => traceparent.slice(3, 35)));
});

test.each([
  ["no credential", { key: null, body: newBid("nothing-3") }, 401, { code: "unauthenticated" }],
  [
    "no right",
    { key: "operator", body: newBid("nothing-3") },
    403,
    { code: "missing-scope", credential: "operator" },
  ],
  ["no event", { body: { item: 1 } }, 422, { credential: "backend" }],
  ["no JSON", { body: "{" }, 400, { code: "malformed-json", credential: "backend" }],
] as const)(
  "a refusal's line has its code and the ids, and no secret: %s",
  async (_, request, status, told) => {
    const line = await lineOf(call("/v1/bids", { ...request, headers: { traceparent: parentOf(traceId) } }));
    expect(line).toMatchObject({ route: "/v1/bids", status, traceId, ...told });
    expect(line["code"]).toEqual(expect.any(String));
    for (const secret of Object.values(keys)) expect(JSON.stringify(lines)).not.toContain(secret);
  },
);

test("a batch's line names the codes of what was not taken", async () => {
  const body = [newBid("nothing-4"), newBid("nothing-4", { amount: 0 }), newBid("nothing-4", { colour: 1 })];
  expect(await lineOf(call("/v1/bids", { body }))).toMatchObject({
    status: 207,
    accepted: 1,
    rejected: 2,
    codes: ["too-small", "unknown-field"],
  });
});

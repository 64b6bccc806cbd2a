import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createClient } from "../../../client/client.ts";
import { GavelProblem } from "../../../client/problem.ts";
import { delayBefore } from "../../../client/retry.ts";
import { problem, ScriptedHost, type Step } from "./scripted.ts";

const bid = { itemId: "lamp-1", bidderId: "lin", amount: 1100, currency: "EUR" };
const taken = {
  status: 202,
  body: { id: "one", source: "/s", topic: "auction.bids", partition: 3, offset: 7 },
};
const unavailable = problem(503, "log-unavailable", true, { "retry-after": "1" });

function clientOf(script: readonly Step[], random?: number) {
  const scripted = new ScriptedHost(script);
  const client = createClient({ url: "https://gavel.test/", credential: "key", ...scripted.host(random) });
  return { client, scripted };
}

async function problemOf(call: Promise<unknown>): Promise<GavelProblem> {
  const error = await call.then(
    () => new Error("the call succeeded"),
    (reason: unknown) => reason,
  );
  if (error instanceof GavelProblem) return error;
  throw error;
}

test("what may pass is sent again with the same id, until it is taken", async () => {
  const { client, scripted } = clientOf([
    "broken",
    unavailable,
    problem(429, "rate-limited", true),
    { status: 502, body: "<html>" },
    taken,
  ]);
  expect(await client.placeBid(bid)).toMatchObject({ partition: 3, offset: 7 });
  const keys = scripted.requests.map(({ headers }) => headers["idempotency-key"]);
  expect(keys).toHaveLength(5);
  expect(new Set(keys).size).toBe(1);
  expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/);
  expect(new Set(scripted.requests.map(({ body }) => body)).size).toBe(1);
});

test.each([
  [400, "malformed-json"],
  [401, "unauthenticated"],
  [403, "missing-scope"],
  [404, "unknown-item"],
  [409, "beyond-end"],
  [413, "body-too-large"],
  [422, "invalid-event"],
  [500, "internal-error"],
])("a %i is not sent again", async (status, code) => {
  const { client, scripted } = clientOf([problem(status, code, false), taken]);
  const error = await problemOf(client.placeBid(bid));
  expect(error).toMatchObject({ status, code, requestId: "request-1", retryable: false, attempts: 1 });
  expect(error.isOutcomeUnknown).toBe(status === 500);
  expect(scripted.requests).toHaveLength(1);
});

test("a read is tried again like a write, and is never of unknown outcome", async () => {
  const { client, scripted } = clientOf([unavailable]);
  const error = await problemOf(client.item("lamp-1"));
  expect(error).toMatchObject({ code: "log-unavailable", attempts: 5, isOutcomeUnknown: false });
  expect(scripted.requests.map(({ headers }) => headers["idempotency-key"])).toEqual(
    Array(5).fill(undefined),
  );
});

describe("what is known of a write that failed", () => {
  test.each<[string, readonly Step[], boolean]>([
    ["an answer never came", ["broken"], true],
    ["the log failed", [unavailable], true],
    ["something else answered", [{ status: 200, body: "<html>" }], true],
    ["the gateway refused it", [problem(422, "too-small", false)], false],
    [
      "it was refused once the first answer had got lost",
      ["broken", problem(403, "missing-scope", false)],
      true,
    ],
    ["there were too many requests", [problem(429, "rate-limited", true)], false],
  ])("%s", async (_, script, isOutcomeUnknown) => {
    const { client } = clientOf(script);
    const error = await problemOf(client.placeBid(bid, { idempotencyKey: "mine" }));
    expect(error).toMatchObject({ isOutcomeUnknown, idempotencyKey: "mine" });
  });
});

describe("waiting between attempts", () => {
  test("is anything up to a bound that doubles to 5 s, behind what the gateway asks for", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (attempts, random) => {
          const bound = Math.min(5_000, 200 * 2 ** (attempts - 1));
          expect(delayBefore(attempts, undefined, random)).toBeCloseTo(random * bound, 6);
          expect(delayBefore(attempts, 4_000, random)).toBeCloseTo(4_000 + random * bound, 6);
        },
      ),
    );
    expect(delayBefore(1, 31_000, 0)).toBeUndefined();
  });

  test("takes Retry-After in seconds and as a date by the answer's own clock", async () => {
    const date = { "retry-after": "Wed, 26 Nov 2025 10:00:07 GMT", date: "Wed, 26 Nov 2025 10:00:03 GMT" };
    const { client, scripted } = clientOf(
      [
        problem(503, "log-unavailable", true, { "retry-after": "2" }),
        problem(503, "log-unavailable", true, date),
        taken,
      ],
      0,
    );
    await client.placeBid(bid);
    expect(scripted.sleeps).toEqual([2_000, 4_000]);
  });

  test("a date without the answer's clock is compared with the client's, and nonsense is nothing", async () => {
    const scripted = new ScriptedHost([
      problem(503, "log-unavailable", true, { "retry-after": new Date(1_003_000).toUTCString() }),
      problem(503, "log-unavailable", true, { "retry-after": "soon" }),
      problem(503, "log-unavailable", true, { "retry-after": "-5" }),
      taken,
    ]);
    const client = createClient({ url: "https://gavel.test", credential: "key", ...scripted.host(0) });
    await client.placeBid(bid);
    expect(scripted.sleeps).toEqual([3_000, 0, 0]);
  });

  test("is not begun for longer than the call has time, nor for what nobody waits for", async () => {
    const slow = clientOf([problem(503, "log-unavailable", true, { "retry-after": "20" })]);
    const error = await problemOf(slow.client.placeBid(bid, { timeoutMs: 10_000 }));
    expect(error).toMatchObject({ code: "log-unavailable", retryAfterMs: 20_000, attempts: 1 });
    expect(slow.scripted.sleeps).toEqual([]);
    const slower = clientOf([problem(503, "log-unavailable", true, { "retry-after": "3600" })]);
    await problemOf(slower.client.placeBid(bid, { timeoutMs: 10_000_000 }));
    expect(slower.scripted.sleeps).toEqual([]);
  });
});

test("a request without an answer is given up after its time, and the call after its own", async () => {
  const scripted = new ScriptedHost(["silent"]);
  const options = { url: "https://gavel.test", credential: "key", attempts: 2, attemptTimeoutMs: 30 };
  const client = createClient({ ...options, ...scripted.host() });
  const error = await problemOf(client.placeBid(bid));
  expect(error).toMatchObject({
    status: 0,
    code: "timeout",
    attempts: 2,
    isOutcomeUnknown: true,
    retryable: true,
  });
  expect(scripted.requests).toHaveLength(2);
});

test("the caller's signal ends a call with its own reason, before, during and between requests", async () => {
  const before = clientOf([taken]);
  const reason = new Error("the page was closed");
  await expect(before.client.placeBid(bid, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  expect(before.scripted.requests).toEqual([]);

  const during = clientOf(["silent"]);
  const controller = new AbortController();
  const call = during.client.placeBid(bid, { signal: controller.signal });
  setTimeout(() => controller.abort(reason), 10);
  await expect(call).rejects.toBe(reason);
  expect(during.scripted.requests).toHaveLength(1);

  const between = clientOf(["broken"]);
  const second = new AbortController();
  const host = between.scripted.host();
  const client = createClient({
    url: "https://gavel.test",
    credential: "key",
    ...host,
    sleep: (milliseconds, signal) => {
      second.abort(reason);
      return host.sleep(milliseconds, signal);
    },
  });
  await expect(client.placeBid(bid, { signal: second.signal })).rejects.toBe(reason);
  expect(between.scripted.requests).toHaveLength(1);
});

test("a credential that is asked for is asked before every request", async () => {
  const scripted = new ScriptedHost(["broken", taken]);
  let asked = 0;
  const credential = (): Promise<string> => Promise.resolve(`token-${(asked += 1)}`);
  await createClient({ url: "https://gavel.test", credential, ...scripted.host() }).placeBid(bid);
  expect(scripted.requests.map(({ headers }) => headers.authorization)).toEqual([
    "Bearer token-1",
    "Bearer token-2",
  ]);
});

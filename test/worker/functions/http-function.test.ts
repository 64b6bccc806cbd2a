import { beforeEach, describe, expect, test } from "vitest";
import type { FunctionRecord, InvocationResult } from "../../../src/functions/function.ts";
import { createHttpFunction, type HttpEndpoint } from "../../../src/functions/http/http-function.ts";
import { endpointAddress } from "../../../src/functions/http/endpoint-address.ts";
import { createSigner, newSecret } from "../../../src/functions/http/signature.ts";
import { type Endpoint, newEndpoint } from "./receiver.ts";

const secrets = [newSecret(), newSecret()];
let endpoint: Endpoint;

beforeEach(async () => {
  // The older of the two has to verify, as while they change.
  endpoint = await newEndpoint(secrets.slice(1));
});

function record(offset: number, attempt = 1): FunctionRecord {
  const topic = "auction.notifications";
  const headers = { ce_id: `a/${offset}`, ce_source: "/groups/auction/0", ce_type: "gavel.bidder.won.v1" };
  return {
    id: `${topic}/0/${offset}/notify`,
    topic,
    partition: 0,
    offset,
    timestamp: Date.now(),
    key: "Stühle",
    value: '{"amount":5}',
    headers: Object.entries(headers).map(([key, value]) => ({ key, value })),
    attempt,
  };
}

async function call(
  records: readonly FunctionRecord[],
  more: Partial<HttpEndpoint> = {},
  patience = 10_000,
): Promise<InvocationResult> {
  const settings = { url: endpoint.url, secrets, mode: "structured", allowLoopback: true } as const;
  // The runtime's own fetch, as it is: it refuses to be called as a method of something else.
  const invoke = createHttpFunction({ ...settings, ...more }, { fetch, clock: Date });
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), patience);
  const deadline = Date.now() + patience;
  const result = await invoke({
    group: "notify",
    function: "notify",
    records,
    deadline,
    signal: abort.signal,
  });
  clearTimeout(timer);
  return result;
}

const tooLate = { outcomes: [], failure: { reason: "The endpoint did not answer before the deadline" } };

describe("in the Workers runtime", () => {
  test("a message is signed as the published vector says", () => {
    const sign = createSigner(["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]);
    const message = {
      id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
      at: 1_614_265_330_000,
      body: '{"test": 2432232314}',
    };
    expect(sign(message)).toBe("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  });

  test("signed events reach a server over HTTP, in every mode", async () => {
    const done = { status: "done" };
    expect(await call([record(1)])).toEqual({ outcomes: [done] });
    expect(await call([record(2, 3)], { mode: "binary" })).toEqual({ outcomes: [done] });
    expect(await call([record(3), record(4)])).toEqual({ outcomes: [done, done] });
    const { calls, violations } = await endpoint.received();
    expect(violations.filter((violation) => violation.includes("0/1/"))).toEqual([]);
    expect(calls.flatMap(({ deliveries }) => deliveries)).toMatchObject([
      { offset: 1, attempt: 1, key: "Stühle" },
      { offset: 2, attempt: 3, key: "Stühle" },
      { offset: 3, attempt: 1 },
      { offset: 4, attempt: 1 },
    ]);
    expect(violations).toEqual([]);
  });

  test("an answer's status, Retry-After and list decide", async () => {
    await endpoint.script({ kind: "status", status: 503, headers: { "retry-after": "9" } });
    expect((await call([record(1)])).failure).toEqual({
      reason: "The endpoint answered 503",
      delayMs: 9_000,
      isGeneral: true,
    });
    await endpoint.script({ kind: "status", status: 200, listed: { 2: "reject" } });
    expect((await call([record(1), record(2)])).outcomes).toMatchObject([
      { status: "done" },
      { status: "reject" },
    ]);
    await endpoint.script({ kind: "status", status: 410 });
    expect(await call([record(1)])).toEqual({ outcomes: [], isGone: true });
  });

  test("a redirect is not followed", async () => {
    const inside = await newEndpoint([]);
    await endpoint.script({ kind: "status", status: 307, headers: { location: inside.url } });
    expect((await call([record(1)])).failure?.reason).toBe(
      "The endpoint answered 307, and redirects are not followed",
    );
    expect((await inside.received()).calls).toEqual([]);
  });

  test.each(["hang", "hanging-body"] as const)("a call ends at its deadline: %s", async (kind) => {
    await endpoint.script({ kind });
    expect(await call([record(1)], {}, 300)).toEqual(tooLate);
    await expect
      .poll(async () => (await endpoint.received()).calls[0]?.endedAt, { timeout: 5_000 })
      .toBeDefined();
  });

  test("a body without an end is read no further than its bound", async () => {
    await endpoint.script({ kind: "huge-body", bytes: Number.MAX_SAFE_INTEGER });
    expect(await call([record(1)])).toEqual({ outcomes: [{ status: "done" }] });
  });

  test.each([
    ["before", "The endpoint cannot be reached"],
    ["during", "The endpoint's answer ended early"],
  ] as const)("a connection that is cut %s the answer is a failure", async (when, reason) => {
    await endpoint.script({ kind: "cut", when });
    expect(await call([record(1)])).toEqual({ outcomes: [], failure: { reason } });
  });

  test.each([
    "https://0x7f.1/",
    "https://[::ffff:127.0.0.1]/",
    "https://１２７.０.０.１/",
    "https://127.0.0.1./",
  ])("an address is read as the runtime reads it before it calls: %s", (text) => {
    expect(endpointAddress(text, { allowLoopback: false })).toMatchObject({ error: { code: "ip-address" } });
  });
});

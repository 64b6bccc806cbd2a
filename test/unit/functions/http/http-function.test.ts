import { createServer } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { FunctionRecord, InvocationResult } from "../../../../src/functions/function.ts";
import { createHttpFunction, type HttpEndpoint } from "../../../../src/functions/http/http-function.ts";
import { newSecret } from "../../../../src/functions/http/signature.ts";
import { Receiver } from "../../../support/receiver/receiver.ts";
import { type AnyScript, done, redirect, status } from "../../../support/receiver/script.ts";
import { functionRecord, plainRecord } from "./records.ts";

const secrets = [newSecret(), newSecret()];
const path = "/orders";
const hour = 3_600_000;

let receiver: Receiver;

beforeEach(async () => {
  // It verifies each call with the older of the two secrets.
  receiver = await Receiver.start({ secrets: secrets.slice(1) });
});

afterEach(async () => {
  await receiver.stop();
});

interface Options {
  readonly endpoint?: Partial<HttpEndpoint>;
  readonly script?: AnyScript;
  /** Of the call, in milliseconds. */
  readonly patience?: number;
  readonly now?: number;
}

/** One call of a real server, over the runtime's own fetch. */
async function call(
  records: readonly FunctionRecord[],
  { endpoint, script, patience = 10_000, now = Date.now() }: Options = {},
): Promise<InvocationResult> {
  if (script !== undefined) receiver.script(path, script);
  const settings = { url: receiver.url + path, secrets, mode: "structured", allowLoopback: true } as const;
  const invoke = createHttpFunction({ ...settings, ...endpoint }, { fetch, clock: { now: () => now } });
  const signal = AbortSignal.timeout(patience);
  return invoke({ group: "notify", function: "notify", records, deadline: now + patience, signal });
}

const allDone = { outcomes: [{ status: "done" }] };
const tooLate = { outcomes: [], failure: { reason: "The endpoint did not answer before the deadline" } };

describe("a call delivers", () => {
  test.each(["structured", "binary"] as const)("one signed event, %s", async (mode) => {
    expect(await call([functionRecord({ attempt: 3 })], { endpoint: { mode } })).toEqual(allDone);
    expect(receiver.violations).toEqual([]);
    expect(receiver.callsOf(path)).toMatchObject([
      {
        id: "auction.notifications/3/41/notify",
        deliveries: [{ partition: 3, offset: 41, key: "chair-1", attempt: 3, verdict: "done" }],
      },
    ]);
  });

  test("several records as one signed batch", async () => {
    const records = [
      functionRecord({ offset: 1 }),
      functionRecord({ offset: 2, key: "Ü" }),
      functionRecord({ offset: 5 }),
    ];
    const { outcomes } = await call(records);
    expect(outcomes).toEqual(records.map(() => ({ status: "done" })));
    expect(receiver.violations).toEqual([]);
    const [{ deliveries } = { deliveries: [] }] = receiver.calls;
    expect(deliveries.map(({ offset, key }) => [offset, key])).toEqual([
      [1, "chair-1"],
      [2, "Ü"],
      [5, "chair-1"],
    ]);
  });

  test.each(["structured", "binary"] as const)(
    "what is no CloudEvent and no JSON all the same, %s",
    async (mode) => {
      for (const value of ["no json", "", "ünï 😀", '{"a":']) {
        expect(await call([plainRecord({ value, key: "" })], { endpoint: { mode } })).toEqual(allDone);
      }
      expect(receiver.violations).toEqual([]);
      expect(receiver.calls).toHaveLength(4);
    },
  );

  test("nothing where there is nothing to deliver", async () => {
    expect(await call([])).toEqual({ outcomes: [] });
    expect(receiver.calls).toEqual([]);
  });
});

describe("an answer decides", () => {
  test("by its status", async () => {
    const record = functionRecord();
    expect(await call([record], { script: status(204) })).toEqual(allDone);
    expect(await call([record], { script: status(410) })).toEqual({ outcomes: [], isGone: true });
    expect(await call([record], { script: status(500) })).toEqual({
      outcomes: [],
      failure: { reason: "The endpoint answered 500" },
    });
    expect(await call([record], { script: status(404) })).toEqual({
      outcomes: [{ status: "retry", reason: "The endpoint answered 404" }],
    });
    expect(await call([record], { script: status(422) })).toEqual({
      outcomes: [{ status: "reject", reason: "The endpoint answered 422" }],
    });
  });

  test("by its Retry-After, counted from the clock", async () => {
    const now = Date.parse("2026-11-24T00:00:00Z");
    const date = new Date(now + 2 * hour).toUTCString();
    const inSeconds = await call([functionRecord()], { script: status(429, { "retry-after": "7" }) });
    expect(inSeconds.failure).toMatchObject({ reason: "The endpoint answered 429", delayMs: 7_000 });
    // The receiver's tolerance of a signature's time is five minutes; here only the answer matters.
    const asDate = await call([functionRecord()], { script: status(503, { "retry-after": date }), now });
    expect(asDate.failure).toMatchObject({ reason: "The endpoint answered 503", delayMs: 2 * hour });
  });

  test("by what its body lists", async () => {
    const records = [
      functionRecord({ offset: 1 }),
      functionRecord({ offset: 2 }),
      functionRecord({ offset: 3 }),
    ];
    const script = { kind: "status", status: 200, listed: { 2: "retry", 3: "reject" } } as const;
    const { outcomes } = await call(records, { script });
    expect(outcomes.map((outcome) => outcome?.status)).toEqual(["done", "retry", "reject"]);
  });

  test("and a list for each of a thousand records, with its reason, is read whole", async () => {
    const records = Array.from({ length: 1_000 }, (_, offset) => functionRecord({ offset }));
    const reason = "x".repeat(300);
    const results = records.map(({ id }) => ({ id, status: "retry", reason }));
    const script = { kind: "status", status: 200, body: JSON.stringify({ results }) } as const;
    const { outcomes } = await call(records, { script });
    expect(new Set(outcomes.map((outcome) => outcome?.status))).toEqual(new Set(["retry"]));
  });
});

describe("an endpoint that does harm is cut off", () => {
  const started = () => {
    const start = performance.now();
    return () => performance.now() - start;
  };

  test.each(["hang", "hanging-body"] as const)("at the deadline: %s", async (kind) => {
    const elapsed = started();
    expect(await call([functionRecord()], { script: { kind }, patience: 200 })).toEqual(tooLate);
    expect(elapsed()).toBeLessThan(2_000);
    await expect.poll(() => receiver.calls[0]?.endedAt).toBeDefined();
    expect(receiver.calls[0]?.deliveries[0]?.verdict).toBe("unanswered");
  });

  test("when it answers too late", async () => {
    expect(await call([functionRecord()], { script: done(5_000), patience: 100 })).toEqual(tooLate);
  });

  test("before it is called, where the time is up", async () => {
    expect(await call([functionRecord()], { patience: 0 })).toEqual(tooLate);
    expect(receiver.calls).toEqual([]);
  });

  test("after 64 KiB of a body that never ends, and it is done", async () => {
    const elapsed = started();
    const script = { kind: "huge-body", bytes: Number.MAX_SAFE_INTEGER } as const;
    expect(await call([functionRecord()], { script })).toEqual(allDone);
    expect(elapsed()).toBeLessThan(2_000);
  });

  test("when it answers with a longer list than is read, which is a failure", async () => {
    const results = [{ offset: 41, status: "retry", reason: "x".repeat(70_000) }];
    const headers = { "content-type": "application/json" };
    const script = { kind: "status", status: 200, headers, body: JSON.stringify({ results }) } as const;
    expect(await call([functionRecord()], { script })).toEqual({
      outcomes: [],
      failure: { reason: "The endpoint's answer is longer than is read" },
    });
  });

  test("when it answers 500 with a body that never ends, which is not read", async () => {
    const answers = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.write("HTTP/1.1 500 No\r\ntransfer-encoding: chunked\r\n\r\n");
    });
    await new Promise<void>((resolve) => answers.listen(0, "127.0.0.1", resolve));
    const { port } = answers.address() as { readonly port: number };
    const elapsed = started();
    const { failure } = await call([functionRecord()], { endpoint: { url: `http://127.0.0.1:${port}/` } });
    expect(failure).toEqual({ reason: "The endpoint answered 500" });
    expect(elapsed()).toBeLessThan(2_000);
    answers.close();
  });

  test("when it redirects to an address inside, which is never called", async () => {
    const inside = await Receiver.start();
    for (const code of [301, 302, 303, 307, 308]) {
      const script = { ...redirect(`${inside.url}/secret`), status: code } as AnyScript;
      expect(await call([functionRecord()], { script })).toEqual({
        outcomes: [],
        failure: { reason: `The endpoint answered ${code}, and redirects are not followed`, isGeneral: true },
      });
    }
    expect(inside.calls).toEqual([]);
    expect(inside.violations).toEqual([]);
    await inside.stop();
  });
});

describe("a call that gets no answer is a failure", () => {
  test.each([
    ["before", "The endpoint cannot be reached"],
    ["during", "The endpoint's answer ended early"],
  ] as const)("where the connection is cut %s the answer", async (when, reason) => {
    expect(await call([functionRecord()], { script: { kind: "cut", when } })).toEqual({
      outcomes: [],
      failure: { reason },
    });
  });

  test("where nobody listens, and the reason quotes no address", async () => {
    const stopped = await Receiver.start();
    const { url } = stopped;
    await stopped.stop();
    expect(await call([functionRecord()], { endpoint: { url } })).toEqual({
      outcomes: [],
      failure: { reason: "The endpoint cannot be reached" },
    });
  });

  test("where the answer is no HTTP", async () => {
    const nonsense = createServer((socket) => socket.end("220 smtp ready\r\n"));
    await new Promise<void>((resolve) => nonsense.listen(0, "127.0.0.1", resolve));
    const { port } = nonsense.address() as { readonly port: number };
    const { failure } = await call([functionRecord()], { endpoint: { url: `http://127.0.0.1:${port}/` } });
    expect(failure).toEqual({ reason: "The endpoint cannot be reached" });
    nonsense.close();
  });
});

describe("a call is not made", () => {
  test.each([
    ["http://127.0.0.1:1/", false, "must begin with https://"],
    ["https://169.254.169.254/", true, "must name a host, not an IP address"],
    ["https://metadata.google.internal/", true, "must name a public host, not one inside a network"],
  ])("to %s", async (url, allowLoopback, message) => {
    const { failure } = await call([functionRecord()], { endpoint: { url, allowLoopback } });
    expect(failure).toEqual({ reason: `The endpoint's address ${message}` });
  });

  test("to a host that is listed no more", async () => {
    const endpoint = { url: "https://hooks.shop.com/", hosts: ["hooks.other.com"] };
    const { failure } = await call([functionRecord()], { endpoint });
    expect(failure).toEqual({
      reason: "The endpoint's address must name one of the hosts that SUBSCRIBER_HOSTS lists",
    });
  });

  test("without a secret that can be used", async () => {
    for (const unusable of [[], ["whsec_!!!"]]) {
      const { failure } = await call([functionRecord()], { endpoint: { secrets: unusable } });
      expect(failure).toEqual({ reason: "The endpoint's secrets cannot be used" });
    }
    expect(receiver.calls).toEqual([]);
  });
});

describe("a receiver on the other side", () => {
  let strict: Receiver;

  beforeAll(async () => {
    strict = await Receiver.start({ secrets: [newSecret()] });
  });

  afterAll(async () => {
    await strict.stop();
  });

  test("sees that a call was signed with another secret, or long ago", async () => {
    await call([functionRecord()], { endpoint: { url: `${strict.url}/` } });
    expect(strict.violations).toHaveLength(1);
    await call([functionRecord()], { now: Date.now() - hour });
    expect(receiver.violations).toEqual([
      "auction.notifications/3/41/notify is not signed by any of the secrets",
    ]);
  });
});

import { expect, test } from "vitest";
import { SubscriptionSource } from "../../../durable-objects/functions/subscription-source.ts";
import type { HttpEndpoint } from "../../../src/functions/http/http-function.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import type { SubscriptionWithSecrets } from "../../../src/subscriptions/subscription.ts";

const start = Date.parse("2026-11-24T00:00:00Z");
const day = 86_400_000;

const subscription: SubscriptionWithSecrets = {
  id: "01a210e4-3b5e-7c1a-9d0e-4a6f1b2c3d4e",
  url: "https://hooks.example.com/gavel",
  order: "key",
  mode: "structured",
  batch: { count: 1 },
  from: "latest",
  status: "active",
  createdAt: start,
  createdBy: "operator",
  secrets: [
    { secret: "whsec_new", createdAt: start },
    { secret: "whsec_old", createdAt: start - day, expiresAt: start + day },
  ],
};

const patience = {
  timeoutMs: 10_000,
  attempts: 16,
  firstDelayMs: 1_000,
  concurrency: 32,
  longestDelayMs: 60_000,
};

/** A source whose clock the test moves, with every endpoint that it had made and the secrets of each call. */
function sourceAt(time: { now: number }) {
  const made: HttpEndpoint[] = [];
  const signedWith: (readonly string[])[] = [];
  const source = new SubscriptionSource({
    clock: { ...systemClock, now: () => time.now },
    addresses: { allowLoopback: false, hosts: ["hooks.example.com"] },
    patience,
    subscriptions: () => ({
      changesSince: (version) =>
        Promise.resolve(version === 1 ? "unchanged" : { version: 1, subscriptions: [subscription] }),
      disable: () => Promise.resolve("unchanged" as const),
    }),
    invokeOf: (endpoint) => {
      made.push(endpoint);
      return () => {
        signedWith.push(endpoint.secrets);
        return Promise.resolve({ outcomes: [] });
      };
    },
  });
  const call = async () => {
    const [driven] = await source.functions();
    const signal = AbortSignal.timeout(10_000);
    await driven?.invoke({ group: "notify", function: "f", records: [], deadline: time.now, signal });
  };
  return { call, made, signedWith };
}

test("an expired secret signs nothing from that moment on, though the subscriptions are unchanged", async () => {
  const time = { now: start };
  const { call, signedWith } = sourceAt(time);
  await call();
  time.now = start + day - 1;
  await call();
  time.now = start + day;
  await call();
  expect(signedWith).toEqual([["whsec_new", "whsec_old"], ["whsec_new", "whsec_old"], ["whsec_new"]]);
});

test("what calls an endpoint is made anew only where its valid secrets are others", async () => {
  const time = { now: start };
  const { call, made } = sourceAt(time);
  for (const after of [0, 1, day - 1, day, day + 1, 2 * day]) {
    time.now = start + after;
    await call();
  }
  expect(made).toHaveLength(2);
  expect(made[1]).toEqual({
    url: subscription.url,
    mode: "structured",
    secrets: ["whsec_new"],
    allowLoopback: false,
    hosts: ["hooks.example.com"],
  });
});

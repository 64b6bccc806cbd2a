import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { FunctionRecord } from "../../../src/functions/function.ts";
import { createHttpFunction } from "../../../src/functions/http/http-function.ts";
import { newSecret } from "../../../src/functions/http/signature.ts";
import { checkDeliveries } from "../../support/receiver/checker.ts";
import { Receiver } from "../../support/receiver/receiver.ts";
import { answerOf, done, type Script, status } from "../../support/receiver/script.ts";
import { functionRecord } from "./http/records.ts";

const secrets = [newSecret()];
let receiver: Receiver;

beforeEach(async () => {
  receiver = await Receiver.start({ secrets });
});

afterEach(async () => {
  await receiver.stop();
});

async function deliver(records: readonly FunctionRecord[], endpoint = "/notify") {
  const url = receiver.url + endpoint;
  const settings = { url, secrets, mode: "structured", allowLoopback: true } as const;
  const invoke = createHttpFunction(settings, { fetch, clock: { now: () => Date.now() } });
  const signal = AbortSignal.timeout(5_000);
  return invoke({ group: "notify", function: "notify", records, deadline: Date.now() + 5_000, signal });
}

test("two calls of one key at once are noticed while they run", async () => {
  receiver.script("/notify", done(300));
  const both = Promise.all([
    deliver([functionRecord({ offset: 1 })]),
    deliver([functionRecord({ offset: 2 })]),
  ]);
  await expect.poll(() => receiver.violations.length, { timeout: 2_000 }).toBe(1);
  expect(receiver.calls.every(({ ended }) => ended === undefined)).toBe(true);
  expect(receiver.violations[0]).toMatch(/was called while .* ran, and both are of .* key chair-1$/);
  await both;
});

test("calls of other keys, of other endpoints, and one after the other do not overlap", async () => {
  receiver.script("/notify", done(50));
  await Promise.all([
    deliver([functionRecord({ offset: 1 })]),
    deliver([functionRecord({ offset: 2, key: "lamp" })]),
    deliver([functionRecord({ offset: 1 })], "/other"),
  ]);
  await deliver([functionRecord({ offset: 3 })]);
  expect(receiver.violations).toEqual([]);
  const records = [1, 3].map((offset) => ({
    topic: "auction.notifications",
    partition: 3,
    offset,
    key: "chair-1",
  }));
  records.push({ topic: "auction.notifications", partition: 3, offset: 2, key: "lamp" });
  expect(checkDeliveries(receiver.callsOf("/notify"), { records })).toEqual([]);
});

test("keys of one partition overlap where the order is the partition's", async () => {
  const byPartition = await Receiver.start({ order: "partition" });
  byPartition.script("/notify", done(100));
  const first = receiver;
  receiver = byPartition;
  await Promise.all([deliver([functionRecord()]), deliver([functionRecord({ offset: 42, key: "lamp" })])]);
  receiver = first;
  expect(byPartition.violations).toHaveLength(1);
  await byPartition.stop();
});

test("what is no call of the protocol is refused and told", async () => {
  const post = (headers: Record<string, string>, body: string) =>
    fetch(`${receiver.url}/notify`, { method: "POST", headers, body });
  const event = '{"specversion":"1.0","id":"1","source":"/a","type":"b"}';
  const json = { "content-type": "application/cloudevents+json" };
  expect((await fetch(`${receiver.url}/notify`)).status).toBe(400);
  expect((await post(json, event)).status).toBe(400);
  expect((await post({ ...json, "webhook-id": "1" }, event)).status).toBe(400);
  expect((await post({ ...json, "webhook-id": "1" }, "{}")).status).toBe(400);
  expect(receiver.violations).toHaveLength(4);
  expect(receiver.calls).toEqual([]);
});

test("an endpoint answers in turn by how often a record came", async () => {
  receiver.script("/notify", {
    kind: "in-turn",
    answers: [status(500), { kind: "cut", when: "before" }, done()],
  });
  for (const attempt of [1, 2, 3, 4]) await deliver([functionRecord({ attempt })]);
  await deliver([functionRecord({ offset: 42 })]);
  expect(receiver.calls.map(({ deliveries }) => deliveries[0]?.verdict)).toEqual([
    "retry",
    "unanswered",
    "done",
    "done",
    "retry",
  ]);
});

describe("a seeded share of failures", () => {
  const script: Script = {
    kind: "share",
    seed: 7,
    share: 0.05,
    failing: [status(500), status(503)],
    otherwise: done(),
  };
  const drawn = (seed: number) =>
    Array.from({ length: 20_000 }, (_, index) => {
      const deliveries = [{ id: `topic/0/${index}/notify`, partition: 0, offset: index, key: "k" }];
      const answer = answerOf({ ...script, seed }, { endpoint: "/", arrival: 1, deliveries });
      return answer.kind === "status" ? answer.status : 0;
    });

  test("is of the size that was asked for, with every kind of failure", () => {
    const statuses = drawn(7);
    const failures = statuses.filter((code) => code !== 200);
    expect(failures.length / statuses.length).toBeCloseTo(0.05, 1);
    expect(new Set(failures)).toEqual(new Set([500, 503]));
  });

  test("is the same for the same seed, and another for another", () => {
    expect(drawn(7)).toEqual(drawn(7));
    expect(drawn(8)).not.toEqual(drawn(7));
  });
});

test("a test of another process sets scripts and reads what came", async () => {
  const control = `${receiver.url}/_receiver/notify`;
  const script: Script = status(503);
  await fetch(control, { method: "PUT", body: JSON.stringify({ script, secrets: [newSecret()] }) });
  expect((await deliver([functionRecord()])).failure).toBeDefined();
  const answer = await fetch(control);
  expect(await answer.json()).toMatchObject({
    calls: [{ endpoint: "/notify", deliveries: [{ offset: 41, verdict: "retry" }] }],
    violations: ["auction.notifications/3/41/notify is not signed by any of the secrets"],
  });
});

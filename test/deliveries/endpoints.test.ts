import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { beforeEach, expect, test } from "vitest";
import { checkDeliveries } from "../support/receiver/checker.ts";
import { answered, call } from "../worker/edge/client.ts";
import { type Endpoint, newEndpoint } from "../worker/functions/receiver.ts";
import {
  append,
  isThrough,
  notification,
  notify,
  pause,
  statusOf,
  subscribe,
  subscriptionsPath,
  toldOf,
  unsubscribe,
  until,
  woken,
} from "./world.ts";

/** Of every test here: the receiver's history of the partition is the test's alone. */
const partition = 5;
const ids: string[] = [];

beforeEach(async () => {
  for (const id of ids.splice(0)) await unsubscribe(id);
});

async function subscribed(endpoint: Endpoint, settings: object = {}): Promise<string> {
  const { id, secret } = await subscribe(endpoint.url, settings);
  await endpoint.verify([secret]);
  ids.push(id);
  return id;
}

const some = (count: number, in_ = partition, text = "") =>
  Array.from({ length: count }, (_, index) => notification(in_, `key-${index % 50}`, text));

const through =
  (id: string, end: number, in_ = partition) =>
  async () =>
    isThrough(await woken(in_), id, end);

const endOf = (records: readonly { readonly offset: number }[]): number => (records.at(-1)?.offset ?? -1) + 1;

/** Rows of one table of the partition's object, or of one function in it. */
async function rows(table: "parked" | "deliveries" | "dead_letters", id: string): Promise<number> {
  return runInDurableObject(notify(partition), (_, { storage }) => {
    const [row] = storage.sql
      .exec<{ count: number }>(`SELECT count(*) AS count FROM ${table} WHERE function = ?`, id)
      .toArray();
    return row?.count ?? 0;
  });
}

test("a redirect to a private address is not followed, and is a failure like any other", async () => {
  const [endpoint, inside] = [await newEndpoint(), await newEndpoint()];
  const status = 302;
  const redirect = { kind: "status", status, headers: { location: inside.url } } as const;
  await endpoint.script({ kind: "in-turn", answers: [redirect, redirect, { kind: "status", status: 200 }] });
  const id = await subscribed(endpoint);
  const appended = await append(some(1));
  await until("it is delivered", through(id, endOf(appended)), 10_000);
  const { calls } = await endpoint.received();
  expect(calls.map(({ deliveries }) => deliveries[0]?.attempt)).toEqual([1, 2, 3]);
  expect((await inside.received()).calls).toEqual([]);
});

test("an endpoint whose answers have no end is served like any other, and none of what it says is kept", async () => {
  const endpoint = await newEndpoint();
  await endpoint.script({ kind: "huge-body", bytes: Number.MAX_SAFE_INTEGER });
  const id = await subscribed(endpoint);
  const appended = await append(some(200));
  await until("all are delivered", through(id, endOf(appended)), 20_000);
  const { calls, violations } = await endpoint.received();
  expect(violations).toEqual([]);
  expect(checkDeliveries(calls, { records: appended })).toEqual([]);
  const size = await runInDurableObject(notify(partition), (_, { storage }) => storage.sql.databaseSize);
  expect(size).toBeLessThan(1_000_000);
});

test("410 disables a subscription on every partition, is told by one event, and enabled it goes on where it stopped", async () => {
  const endpoint = await newEndpoint();
  const id = await subscribed(endpoint);
  const all = [4, 5, 6, 7];
  const before = await Promise.all(all.map((one) => append(some(20, one))));
  for (const [index, one] of all.entries())
    await until("the first are delivered", through(id, endOf(before[index] ?? []), one), 10_000);
  await endpoint.script({ kind: "status", status: 410 });
  const during = await Promise.all(all.map((one) => append(some(20, one))));
  await Promise.all(all.map((one) => woken(one)));
  for (const one of all)
    await until(
      "it is disabled, and no call is under way",
      async () => {
        const status = statusOf(await notify(one).functionGroupStatus(), id);
        return status?.inFlight === 0 && (status.full?.includes("disabled") ?? false);
      },
      10_000,
    );
  expect(await answered(call(`${subscriptionsPath}/${id}`, { key: "operator" }), 200)).toMatchObject({
    status: "disabled",
  });
  const calledBefore = await endpoint.count();
  // What ends an object does not make it forget where it stopped.
  for (const one of all) await evictDurableObject(notify(one));
  const after = await Promise.all(all.map((one) => append(some(20, one))));
  await Promise.all(all.map((one) => woken(one)));
  await pause(300);
  expect(await endpoint.count()).toBe(calledBefore);
  await endpoint.script({ kind: "status", status: 200 });
  await answered(call(`${subscriptionsPath}/${id}/enable`, { key: "operator", method: "POST" }), 200);
  for (const [index, one] of all.entries())
    await until("the rest is delivered", through(id, endOf(after[index] ?? []), one), 10_000);
  const { calls, violations } = await endpoint.received();
  const records = [...before, ...during, ...after].flat();
  expect(violations).toEqual([]);
  expect(checkDeliveries(calls, { records })).toEqual([]);
  const { disabled, letters } = await toldOf(id, all);
  expect(letters).toEqual([]);
  expect(disabled.map(({ value }) => JSON.parse(value) as unknown)).toEqual([
    expect.objectContaining({ group: "notify", function: id }),
  ]);
});

test("a subscription that is removed is called no more, and takes its rows along", async () => {
  const endpoint = await newEndpoint();
  await endpoint.script({ kind: "status", status: 200, listed: "retry" });
  const id = await subscribed(endpoint);
  await append(some(300));
  await woken(partition);
  await until("some wait for a retry", async () => (await rows("parked", id)) > 10, 10_000);
  expect(await rows("deliveries", id)).toBe(1);
  await unsubscribe(id);
  ids.length = 0;
  await until("its rows are gone", async () => (await rows("deliveries", id)) === 0, 10_000);
  expect(await rows("parked", id)).toBe(0);
  await pause(1_100);
  const count = await endpoint.count();
  await woken(partition);
  await pause(500);
  expect(await endpoint.count()).toBe(count);
});

test("100,000 records to a dead endpoint cost a bounded number of rows, hold up no other subscriber, and all arrive when it is back", async () => {
  const [dead, alive] = [await newEndpoint(), await newEndpoint()];
  await dead.script({ kind: "cut", when: "before" });
  const batch = { count: 100 };
  const [deadId, aliveId] = [await subscribed(dead, { batch }), await subscribed(alive, { batch })];
  const appended = [];
  for (let index = 0; index < 10; index += 1)
    appended.push(...(await append(some(10_000, partition, "x".repeat(100)))));
  const end = endOf(appended);
  let highest = 0;
  await until(
    "the other one has everything",
    async () => {
      const status = await woken(partition);
      highest = Math.max(highest, await rows("parked", deadId));
      return isThrough(status, aliveId, end);
    },
    120_000,
  );
  expect((await alive.received()).violations).toEqual([]);
  const called = await dead.count();
  expect(called).toBeLessThan(200);
  expect(highest).toBeLessThanOrEqual(1_000);
  const size = await runInDurableObject(notify(partition), (_, { storage }) => storage.sql.databaseSize);
  expect(size).toBeLessThan(2_000_000);
  const status = statusOf(await notify(partition).functionGroupStatus(), deadId);
  expect(status?.circuit?.reason).toContain("cannot be reached");
  // What it holds in memory is what lies between its position and what it has read.
  expect((status?.next ?? 0) - (status?.position ?? 0)).toBeLessThan(100);
  await dead.script({ kind: "status", status: 200 });
  await until("everything has arrived", through(deadId, end), 120_000);
  for (const endpoint of [dead, alive]) {
    const { calls } = await endpoint.received();
    expect(checkDeliveries(calls, { records: appended })).toEqual([]);
  }
  expect((await toldOf(deadId, [partition])).letters).toEqual([]);
});

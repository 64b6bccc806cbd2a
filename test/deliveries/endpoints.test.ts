import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { beforeEach, expect, test } from "vitest";
import { windowLimits } from "../../durable-objects/functions/window.ts";
import { defaultSettings } from "../../src/functions/declare.ts";
import type { LogRecord, ProduceRecord } from "../../src/kafka/port.ts";
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

/** Appends so many, a part at a time. */
async function appendMany(count: number, make: (count: number) => ProduceRecord[]): Promise<LogRecord[]> {
  const appended: LogRecord[] = [];
  while (appended.length < count) {
    const part = await append(make(Math.min(10_000, count - appended.length)));
    for (const record of part) appended.push(record);
  }
  return appended;
}

/** Parked records that a subscription may have. */
const { records: budget } = defaultSettings.budget;

/** Rows of one table of the partition's object, or of one function in it. */
async function rows(table: "parked" | "deliveries" | "dead_letters", id: string): Promise<number> {
  return runInDurableObject(notify(partition), (_, { storage }) => {
    const [row] = storage.sql
      .exec<{ count: number }>(`SELECT count(*) AS count FROM ${table} WHERE function = ?`, id)
      .toArray();
    return row?.count ?? 0;
  });
}

/** What a subscription costs at its worst: the most that any look found. */
interface Cost {
  looks: number;
  rows: number;
  /** Records between its position and what it has read, which are in memory. */
  inMemory: number;
  databaseBytes: number;
}

/** Looks at what a subscription costs, from now on until it is stopped. */
function watchCost(id: string): { readonly most: Cost; stop(): Promise<void> } {
  const most: Cost = { looks: 0, rows: 0, inMemory: 0, databaseBytes: 0 };
  const over = new AbortController();
  const look = async (): Promise<void> => {
    const [parked, status, size] = await Promise.all([
      rows("parked", id),
      notify(partition).functionGroupStatus(),
      runInDurableObject(notify(partition), (_, { storage }) => storage.sql.databaseSize),
    ]);
    const { next = 0, position = 0 } = statusOf(status, id) ?? {};
    most.looks += 1;
    most.rows = Math.max(most.rows, parked);
    most.inMemory = Math.max(most.inMemory, next - position);
    most.databaseBytes = Math.max(most.databaseBytes, size);
  };
  const watch = async (): Promise<void> => {
    while (!over.signal.aborted) {
      await look();
      await pause(100);
    }
  };
  const watching = watch();
  return {
    most,
    stop: async () => {
      over.abort();
      await watching;
    },
  };
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
  const cost = watchCost(deadId);
  const appended = await appendMany(100_000, (count) => some(count, partition, "x".repeat(100)));
  const end = endOf(appended);
  await until("the other one has everything", through(aliveId, end), 120_000);
  await cost.stop();
  console.log("a dead endpoint at its worst", cost.most);
  expect((await alive.received()).violations).toEqual([]);
  const called = await dead.count();
  expect(called).toBeLessThan(200);
  expect(cost.most.looks).toBeGreaterThan(20);
  // What waits for the first calls to end is parked to make room for other keys, until the circuit opens.
  expect(cost.most.rows).toBeLessThanOrEqual(budget);
  expect(cost.most.inMemory).toBeLessThanOrEqual(windowLimits.records);
  expect(cost.most.databaseBytes).toBeLessThan(2_000_000);
  const status = statusOf(await notify(partition).functionGroupStatus(), deadId);
  expect(status?.circuit?.reason).toContain("cannot be reached");
  // While nothing is called the log has it all, but for what a probe needs.
  expect((status?.next ?? 0) - (status?.position ?? 0)).toBeLessThan(100);
  await dead.script({ kind: "status", status: 200 });
  await until("everything has arrived", through(deadId, end), 120_000);
  for (const endpoint of [dead, alive]) {
    const { calls } = await endpoint.received();
    expect(checkDeliveries(calls, { records: appended })).toEqual([]);
  }
  expect((await toldOf(deadId, [partition])).letters).toEqual([]);
});

test("an endpoint that wants every one of 20,000 records later spends its budget: its position stops and says so, the other subscriber goes on, and all arrive when it is well", async () => {
  const [unwell, well] = [await newEndpoint(), await newEndpoint()];
  // It answers, so that no circuit opens; and slowly, so that no record has spent its attempts meanwhile.
  await unwell.script({ kind: "status", status: 200, listed: "retry", afterMs: 100 });
  const batch = { count: 100 };
  const [unwellId, wellId] = [await subscribed(unwell, { batch }), await subscribed(well, { batch })];
  const cost = watchCost(unwellId);
  // A key for each: what waits behind another one of its key would not be called, and fail.
  const make = (count: number) =>
    Array.from({ length: count }, (_, index) => notification(partition, `own-${index}`, "x".repeat(100)));
  const appended = await appendMany(20_000, make);
  const end = endOf(appended);
  const unwellStatus = async () => statusOf(await woken(partition), unwellId);
  const hasStopped = async () => {
    const status = await unwellStatus();
    // What was read when the budget was spent is parked as well.
    return status?.full !== undefined && status.next === status.position;
  };
  await until("the budget is spent", hasStopped, 30_000);
  const stopped = await unwellStatus();
  await until("the other one has everything", through(wellId, end), 60_000);
  await pause(1_000);
  const later = await unwellStatus();
  await cost.stop();
  console.log("an endpoint that wants everything later at its worst", cost.most);
  expect(stopped?.full).toContain(`${stopped?.parked} parked records, and may not have more`);
  expect(later?.full).toContain("may not have more");
  expect(later?.circuit).toBeUndefined();
  // The log keeps the rest.
  expect(later?.position).toBe(stopped?.position);
  expect(later?.next).toBe(later?.position);
  expect(later?.position).toBeLessThan(end - appended.length / 2);
  expect(cost.most.looks).toBeGreaterThan(10);
  expect(cost.most.rows).toBeGreaterThanOrEqual(budget);
  expect(cost.most.rows).toBeLessThanOrEqual(budget + windowLimits.records);
  expect(cost.most.inMemory).toBeLessThanOrEqual(windowLimits.records);
  await unwell.script({ kind: "status", status: 200 });
  await until("everything has arrived", through(unwellId, end), 60_000);
  for (const [id, endpoint] of [
    [unwellId, unwell],
    [wellId, well],
  ] as const) {
    const { calls, violations } = await endpoint.received();
    const { letters } = await toldOf(id, [partition]);
    expect(violations).toEqual([]);
    expect(letters).toEqual([]);
    expect(checkDeliveries(calls, { records: appended })).toEqual([]);
  }
});

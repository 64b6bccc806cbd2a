import { abortAllDurableObjects } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Replay } from "../../../durable-objects/replay.ts";
import { partName } from "../../../durable-objects/replays/rpc.ts";
import { answered, call, newBid, newItem } from "../edge/client.ts";
import { partitionOf } from "../partition/world.ts";
import { type Body, cancelAll, ended, operate, path, readReplay, replayed, startReplay } from "./world.ts";

const bindings = env as unknown as { readonly REPLAYS: DurableObjectNamespace<Replay> };
const category = `replayed-${Date.now()}`;
const nobody = "01a20b5e-de70-7cda-8cae-dedce463b188";
const minute = 60_000;

/** What the live partitions are at, once they have read all that there is. */
async function livePartitions(): Promise<unknown> {
  return answered(operate("/v1/groups/auction/partitions"), 200);
}

/** Auctions of the past, as many in each partition, each with three bidders, closed by a tick. */
async function backfill(perPartition: number): Promise<void> {
  const start = Date.now() - 60 * minute;
  const event = (type: string, itemId: string, time: number, data?: object) => ({
    specversion: "1.0",
    id: `${type}/${itemId}/${time}/${Math.random()}`,
    source: "/tests/replays",
    type,
    subject: itemId,
    time: new Date(time).toISOString(),
    ...(data === undefined ? {} : { data }),
  });
  const endsAt = new Date(start + 30 * minute).toISOString();
  const items: ReturnType<typeof newItem>[] = [];
  while (items.length < 8 * perPartition) {
    const item = newItem({ category, startingPrice: 100, endsAt });
    const inPartition = items.filter(({ itemId }) => partitionOf(itemId) === partitionOf(item.itemId));
    if (inPartition.length < perPartition) items.push(item);
  }
  const publish = (body: readonly object[]) =>
    answered(
      call("/v1/events", {
        key: "trusted",
        body,
        headers: { "content-type": "application/cloudevents-batch+json" },
      }),
      202,
    );
  await publish(items.map((item) => event("gavel.item.listed.v1", item.itemId, start, item)));
  for (const { itemId } of items) await seen(itemId, "open");
  // In the order of time: a stretch by time begins and ends at the first record that is late enough.
  const bids = ["ada", "ben", "cleo"].flatMap((bidderId, place) =>
    items.map(({ itemId }, index) =>
      event(
        "gavel.bid.placed.v1",
        itemId,
        start + minute * (place + 1),
        newBid(itemId, { bidderId, amount: 100 + index + 50 * place }),
      ),
    ),
  );
  await publish(bids);
  await publish(items.map(({ itemId }) => event("gavel.tick.v1", itemId, start + 40 * minute)));
  for (const { itemId } of items) await seen(itemId, "sold");
}

async function seen(itemId: string, status: string): Promise<void> {
  for (let tries = 0; tries < 500; tries += 1) {
    const response = await call(`/v1/items/${itemId}`);
    const body = await response.json<{ status: string }>();
    if (response.status === 200 && body.status === status) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`${itemId} does not become ${status}`);
}

beforeAll(() => backfill(3));
afterEach(cancelAll);

describe("a replay", () => {
  test("is 202 with its place, goes on by itself, and tells how far it is and what came of it", async () => {
    const response = await operate(path, { body: { analysis: "event-rates", topic: "auction.items" } });
    const made = await answered<Body>(response, 202);
    expect(response.headers.get("location")).toBe(`${path}/${made.id}`);
    expect(made).toMatchObject({
      analysis: "event-rates",
      topic: "auction.items",
      parameters: { bucketSeconds: 3_600 },
      maximumRecords: 1_000_000,
      maximumBytes: 1_073_741_824,
      status: "running",
      createdBy: "operator",
      progress: { read: 0, records: 0 },
    });
    const done = await ended<{ buckets: { records: number }[] }>(made.id);
    expect(done.status).toBe("done");
    expect(done.partitions).toHaveLength(8);
    const records = done.result?.buckets.reduce((sum, bucket) => sum + bucket.records, 0);
    expect(records).toBeGreaterThanOrEqual(24);
    expect(done.progress).toMatchObject({ records, read: records, offsets: records });
    for (const { from, to, position } of done.partitions) expect([from, position]).toEqual([0, to]);
    const { replays } = await answered<{ replays: Body[] }>(operate(path), 200);
    expect(replays[0]).toMatchObject({ id: made.id, status: "done" });
    expect(replays[0]).not.toHaveProperty("result");
  });

  test("of category-totals answers what GET /v1/stats/categories answers at the same positions", async () => {
    const live = await answered<{ categories: { category: string }[] }>(call("/v1/stats/categories"), 200);
    expect(await replayed({ analysis: "category-totals" })).toEqual(live);
    expect(live.categories).toContainEqual(expect.objectContaining({ category, sold: 24, bids: 72 }));
  });

  test("of what-if tells the distribution with a share of the bidders absent", async () => {
    const parameters = { category, currency: "EUR", absent: 0.5, seasons: 200, resample: false };
    interface Result {
      auctions: object;
      observed: { prices: { least: number; greatest: number } };
      simulated: { seasons: number; prices: { least: number; p05: number; greatest: number } };
    }
    const { id } = await startReplay({ analysis: "what-if", parameters });
    const { result, conclusion } = await ended<Result>(id);
    expect(result?.auctions).toEqual({ finished: 24, withdrawn: 0, unfinished: 0, sampled: 24 });
    expect(result?.observed.prices).toMatchObject({ least: 200, greatest: 223 });
    expect(result?.simulated).toMatchObject({ seasons: 200, prices: { least: 100, greatest: 223 } });
    expect(conclusion).toMatchObject({ step: 200, steps: 200 });
    expect(await replayed({ analysis: "what-if", parameters })).toEqual(result);
  });

  test("reads from and to where it is told, by offset or by time, and nothing else", async () => {
    const records = async (document: object) => {
      const { id } = await startReplay({ analysis: "event-rates", topic: "auction.bids", ...document });
      return ended<{ buckets: { types: Record<string, number> }[] }>(id);
    };
    const byOffset = await records({ from: 1, to: [2, 2, 2, 2, 3, 3, 3, 3] });
    expect(byOffset.partitions.map(({ from, to }) => [from, to])).toEqual(
      [2, 2, 2, 2, 3, 3, 3, 3].map((to) => [1, to]),
    );
    expect(byOffset.progress.records).toBe(12);
    const start = Date.now() - 60 * minute;
    const hour = new Date(start - 30 * minute).toISOString();
    const early = await records({ from: hour, to: new Date(start + 2.5 * minute).toISOString() });
    const types = Object.fromEntries(
      early.result?.buckets.flatMap((bucket) => Object.entries(bucket.types)) ?? [],
    );
    const count = (type: string) =>
      early.result?.buckets.reduce((sum, bucket) => sum + (bucket.types[type] ?? 0), 0);
    expect(Object.keys(types)).toEqual(
      expect.arrayContaining(["gavel.item.opened.v1", "gavel.bid.placed.v1"]),
    );
    expect(count("gavel.item.opened.v1")).toBe(24);
    expect(count("gavel.bid.placed.v1")).toBe(48);
    expect(count("gavel.tick.v1")).toBe(0);
    const later = await records({ from: new Date(Date.now() + 60 * minute).toISOString() });
    expect(later).toMatchObject({ status: "done", progress: { offsets: 0, records: 0 } });
  });

  test("ends at DELETE, stays as it is, and leaves nothing in its own objects", async () => {
    const { id } = await startReplay({ analysis: "category-totals" });
    const cancelled = await answered<Body>(operate(`${path}/${id}`, { method: "DELETE" }), 200);
    expect(cancelled.status).toBe("cancelled");
    await new Promise((resolve) => setTimeout(resolve, 300));
    const later = await readReplay(id);
    expect(later.status).toBe("cancelled");
    expect(later).not.toHaveProperty("result");
    expect(await answered(operate(`${path}/${id}`, { method: "DELETE" }), 200)).toEqual(later);
    await emptied(id);
  });

  test("loses nothing and counts nothing twice when all objects end again and again", async () => {
    const calm = await replayed<object>({ analysis: "category-totals" });
    const { id } = await startReplay({ analysis: "category-totals" });
    let body = await readReplay(id);
    for (let aborts = 0; aborts < 12 && body.status === "running"; aborts += 1) {
      await abortAllDurableObjects();
      body = await readReplay(id);
      await new Promise((resolve) => setTimeout(resolve, 5 * aborts));
    }
    expect((await ended(id)).result).toEqual(calm);
    await abortAllDurableObjects();
    expect((await readReplay(id)).result).toEqual(calm);
    await emptied(id);
  });

  test("ends when it has read more bytes than it may, and says so", async () => {
    const { id } = await startReplay({ analysis: "category-totals", maximumBytes: 100 });
    const body = await ended(id);
    expect(body).toMatchObject({ status: "failed", failure: { code: "maximum-bytes" } });
    expect(body).not.toHaveProperty("result");
    await emptied(id);
  });

  test("is one of two that run: the third is 409 until one has ended", async () => {
    const slow = {
      analysis: "what-if",
      parameters: { category, currency: "EUR", absent: 0.5, seasons: 10_000 },
    };
    const [one, two] = await Promise.all([startReplay(slow), startReplay(slow)]);
    const third = await operate(path, { body: slow });
    expect(await answered(third, 409)).toMatchObject({ code: "too-many-replays" });
    await operate(`${path}/${one.id}`, { method: "DELETE" });
    const again = await startReplay(slow);
    const { replays } = await answered<{ replays: Body[] }>(operate(`${path}?limit=3`), 200);
    expect(replays.map(({ id }) => id)).toEqual([again.id, two.id, one.id].toSorted().toReversed());
  });
});

describe("live groups", () => {
  test("are where they were, and answer as they did, while replays run", async () => {
    const item = newItem({ category: "live" });
    await answered(call("/v1/items", { body: item, headers: { prefer: "wait=10" } }), 200);
    const alone = await medianOfBids(item.itemId, 1_000);
    const before = await livePartitions();
    const parameters = { category, currency: "EUR", absent: 0.5, seasons: 10_000 };
    const replay = await startReplay({ analysis: "what-if", parameters });
    await replayed({ analysis: "category-totals" });
    expect(await livePartitions()).toEqual(before);
    const beside = await medianOfBids(item.itemId, 2_000);
    expect(beside).toBeLessThan(10 * alone + 100);
    expect((await ended(replay.id)).status).toBe("done");
  });
});

/** How long a bid takes until its outcome is told, in milliseconds, of twenty that all stand. */
async function medianOfBids(itemId: string, least: number): Promise<number> {
  const took: number[] = [];
  for (let amount = least; amount < least + 20; amount += 1) {
    const started = Date.now();
    const headers = { prefer: "wait=10", "idempotency-key": `${itemId}/${amount}` };
    const place = () => call("/v1/bids", { body: newBid(itemId, { amount }), headers });
    let response = await place();
    // The machine may be slower than a produce's deadline: the bid is sent again, as a client would.
    for (let again = 0; response.status === 503 && again < 5; again += 1) response = await place();
    const { outcome } = await answered<{ outcome: object }>(response, 200);
    expect(outcome).toMatchObject({ status: "accepted" });
    took.push(Date.now() - started);
  }
  return took.toSorted((left, right) => left - right)[10] ?? 0;
}

describe("a request", () => {
  const problemOf = async (status: number, options: Parameters<typeof operate>[1], to = path) =>
    answered<{ code: string; errors: { pointer: string; code: string }[] }>(operate(to, options), status);

  test("is 422 with every fault, also of the analysis's own parameters, and starts nothing", async () => {
    const body = {
      analysis: "what-if",
      topic: "auction.items",
      from: "yesterday",
      to: [1, 2],
      parameters: { category: "No", absent: 2, seeds: 1 },
      maximumRecords: 0,
      limit: 5,
    };
    const { code, errors } = await problemOf(422, { body });
    expect(code).toBe("invalid-replay");
    expect(Object.fromEntries(errors.map((error) => [error.pointer, error.code]))).toEqual({
      "/from": "invalid-format",
      "/limit": "unknown-field",
      "/maximumRecords": "too-small",
      "/parameters/absent": "too-big",
      "/parameters/category": "invalid-format",
      "/parameters/currency": "required",
      "/parameters/seeds": "unknown-field",
      "/to": "invalid-format",
      "/topic": "invalid-format",
    });
    expect(await problemOf(422, { body: { analysis: "no-such" } })).toMatchObject({ code: "invalid-format" });
    expect(await problemOf(422, { body: {} })).toMatchObject({ code: "required" });
    expect(await problemOf(422, { body: [] })).toMatchObject({ code: "invalid-type" });
    const turned = { analysis: "category-totals", from: 5, to: 3 };
    expect(await problemOf(422, { body: turned })).toMatchObject({
      errors: [{ pointer: "/from", code: "too-big" }],
    });
    const large = { analysis: "category-totals", maximumRecords: 3 };
    expect(await problemOf(422, { body: large })).toMatchObject({ code: "replay-too-large" });
    const { replays } = await answered<{ replays: Body[] }>(operate(`${path}?limit=100`), 200);
    expect(replays.filter(({ status }) => status === "running")).toEqual([]);
  });

  test("for what is not there is 404, for what cannot be done 405, without the scope 403", async () => {
    for (const id of [nobody, "x", "replays", "%00"]) {
      const code = "unknown-replay";
      expect(await problemOf(404, {}, `${path}/${id}`), id).toMatchObject({ code });
      expect(await problemOf(404, { method: "DELETE" }, `${path}/${id}`), id).toMatchObject({ code });
    }
    expect((await operate(path, { method: "DELETE" })).status).toBe(405);
    const body = { analysis: "category-totals" };
    expect(await problemOf(403, { key: "backend", body })).toMatchObject({ code: "missing-scope" });
    expect(await problemOf(401, { key: null, body })).toMatchObject({ code: "unauthenticated" });
    expect((await operate(`${path}?limit=0`)).status).toBe(400);
  });
});

/** Waits until the objects of a replay have nothing: a part that has nothing has no state to tell. */
async function emptied(id: string): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    const states = await Promise.all(
      Array.from({ length: 8 }, (_, partition) =>
        bindings.REPLAYS.getByName(partName(id, partition)).state(),
      ),
    );
    if (states.every((state) => state === null)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  expect.unreachable("a replay's object still has something");
}

import { beforeAll, expect, test } from "vitest";
import type { LineageView } from "../../../src/lineage/answer.ts";
import { topics } from "../../../src/topics.ts";
import { done, status as failing } from "../../support/receiver/script.ts";
import { newEndpoint } from "../functions/receiver.ts";
import { eventually, newId } from "../partition/world.ts";
import { operate, removeAll, subscribe } from "../subscriptions/world.ts";
import { answered, call, type Coordinates, headersOf, newBid, openItem, readRecord } from "./client.ts";

const trace = "0af7651916cd43dd8448eb211c80319c";
const traceparent = `00-${trace}-b7ad6b7169203331-01`;
/** Groups may have to read what other files have left on the partition, on a machine that is busy. */
const patienceMs = 40_000;
const isTime = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string;

beforeAll(removeAll);

function lineage(id: string): Promise<LineageView> {
  return answered<LineageView>(call(`/v1/events/${id}/lineage`), 200);
}

/** The lineage once these functions are done. */
function doneBy(id: string, functions: readonly string[]): Promise<LineageView> {
  return eventually(async () => {
    const view = await lineage(id);
    const names = view.invoked.filter(({ status }) => status === "done").map((made) => made.function);
    return functions.every((name) => names.includes(name)) && view;
  }, patienceMs);
}

test("an event is followed across groups: to the functions called, what enrich made, and each one's times", async () => {
  for (const id of ["seller", "ben"]) {
    const body = { displayName: id };
    const response = await operate(`/v1/profiles/${id}`, { method: "PUT", body });
    expect([200, 201]).toContain(response.status);
    await response.text();
  }
  const { itemId } = await openItem();
  await answered(call("/v1/bids", { body: newBid(itemId), headers: { prefer: "wait=10" } }), 200);
  const headers = { prefer: "wait=10", traceparent };
  const withdrawn = await answered<Coordinates>(
    call(`/v1/items/${itemId}/withdraw`, { method: "POST", headers }),
    200,
  );
  const view = await eventually(async () => {
    const followed = await doneBy(withdrawn.id, ["enrich", "auctions", "market", "participation"]);
    return followed.produced.length === 3 && followed;
  }, patienceMs);

  const [completed, lost, validated] = view.produced;
  expect([completed?.topic, lost?.topic, validated?.topic]).toEqual([
    topics.completed,
    topics.notifications,
    topics.validated,
  ]);
  expect(validated?.id).toBe(`${completed?.topic}/${completed?.partition}/${completed?.offset}/enrich/1`);
  const calls = view.invoked.map((made) => [made.group, made.function, made.event, made.status]);
  expect(calls).toEqual(
    expect.arrayContaining([
      ["enrich", "enrich", completed?.id, "done"],
      ["analytics", "auctions", completed?.id, "done"],
      ["analyses", "market", completed?.id, "done"],
      ["bidders", "participation", lost?.id, "done"],
    ]),
  );
  for (const { partition, attempts, startedAt, endedAt } of view.invoked) {
    expect(partition).toBe(withdrawn.partition);
    expect(attempts).toBe(1);
    expect(Date.parse(startedAt ?? "")).toBeGreaterThanOrEqual(Date.parse(view.applied.at ?? ""));
    expect(Date.parse(endedAt ?? "")).toBeGreaterThanOrEqual(Date.parse(startedAt ?? ""));
  }
  // One trace all the way, and a span of its own for each step.
  const records = [withdrawn, ...view.produced].map((place) => readRecord(place));
  const parents = (await Promise.all(records)).map((record) => headersOf(record)["ce_traceparent"] ?? "");
  for (const parent of parents) expect(parent.slice(3, 35)).toBe(trace);
  expect(new Set(parents).size).toBe(4);
});

test("a delivery to a subscriber is told with its attempts, while it fails and once it is done", async () => {
  const endpoint = await newEndpoint();
  await endpoint.script(failing(500));
  const bidderId = newId("bidder");
  const filter = { all: [{ field: "bidderId", equals: bidderId }] };
  const { id: subscription } = await subscribe({ url: endpoint.url, filter });
  const { itemId } = await openItem();
  const headers = { prefer: "wait=10" };
  await answered(call("/v1/bids", { body: newBid(itemId, { bidderId }), headers }), 200);
  const body = newBid(itemId, { amount: 1500 });
  const told = await answered<Coordinates>(call("/v1/bids", { body, headers }), 200);

  const mine = ({ invoked }: LineageView) => invoked.filter((made) => made.function === subscription);
  const parked = await eventually(async () => {
    const [delivery] = mine(await lineage(told.id));
    return delivery?.status === "parked" && delivery;
  }, patienceMs);
  expect(parked).toMatchObject({ group: "notify", startedAt: isTime });
  expect(parked.attempts).toBeGreaterThanOrEqual(1);
  await endpoint.script(done());
  // It need not wait for its retry; where that is under way already, there is nothing to be hurried.
  const path = `/v1/groups/notify/partitions/${told.partition}/parked/${itemId}/retry`;
  await (await operate(path, { method: "POST" })).text();
  const view = await doneBy(told.id, [subscription]);
  const event = view.produced[0]?.id;
  const attempts = await endpoint.count();
  expect(attempts).toBeGreaterThanOrEqual(2);
  expect(mine(view)).toMatchObject([{ event, status: "done", attempts, endedAt: isTime }]);
  // What a subscriber's filter does not take is told as well.
  const refused = await answered<Coordinates>(call("/v1/bids", { body: newBid(itemId), headers }), 200);
  const other = await eventually(async () => {
    const [delivery] = mine(await lineage(refused.id));
    return delivery?.status === "skipped" && delivery;
  }, patienceMs);
  expect(other.attempts).toBe(0);
});

import { expect, test } from "vitest";
import type { LineageView } from "../../../src/lineage/answer.ts";
import { topics } from "../../../src/topics.ts";
import { append, bid, eventually, listing, newId, objectOf, pushOf, wakeAll } from "../partition/world.ts";
import {
  answered,
  type Call,
  call,
  clientSubject,
  type Coordinates,
  headersOf,
  newBid,
  newItem,
  openItem,
  readRecord,
} from "./client.ts";

const trace = "0af7651916cd43dd8448eb211c80319c";
const traceparent = `00-${trace}-b7ad6b7169203331-01`;

function lineage(id: string, query = "", more: Call = {}): Promise<LineageView> {
  return answered<LineageView>(call(`/v1/events/${encodeURIComponent(id)}/lineage${query}`, more), 200);
}

/** The lineage once everything that was decided is in the log. */
function settled(id: string, query = ""): Promise<LineageView> {
  return eventually(async () => {
    const view = await lineage(id, query);
    return view.applied.status === "applied" && view.totals.unsent === 0 && view;
  });
}

function place(body: unknown, more: Call = {}): Promise<Coordinates> {
  const headers = { prefer: "wait=10", ...more.headers };
  return answered<Coordinates>(call("/v1/bids", { ...more, body, headers }), 200);
}

const placeOf = ({ topic, partition, offset }: Coordinates) => ({ topic, partition, offset });
const isTime = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string;

test("a bid is followed from its request to what it made: where, by whom, when, and what was decided", async () => {
  const { itemId } = await openItem();
  await place(newBid(itemId, { amount: 1000, bidderId: "ann" }));
  const cf = { country: "TR", city: "Izmir", colo: "IST", latitude: "38.42", longitude: "27.14" };
  const told = await place(newBid(itemId, { amount: 1500 }), { cf, headers: { traceparent } });
  const view = await settled(told.id, `?item=${itemId}`);
  expect(view).toMatchObject({
    id: told.id,
    source: told.source,
    type: "gavel.bid.placed.v1",
    itemId,
    traceId: trace,
    accepted: { at: isTime, credential: "backend", country: "TR", city: "Izmir", colo: "IST" },
    record: { ...placeOf(told), timestamp: told.timestamp },
    applied: {
      group: "auction",
      partition: told.partition,
      status: "applied",
      position: told.offset,
      at: isTime,
      outcome: { status: "accepted" },
    },
    totals: { produced: 1, unsent: 0 },
    repetitions: [],
    complete: true,
  });
  expect(view.produced).toEqual([
    {
      topic: topics.notifications,
      partition: told.partition,
      offset: expect.any(Number) as number,
      id: `${topics.journal}/${told.partition}/${told.offset}/1`,
      type: "gavel.bidder.outbid.v1",
      itemId,
      timestamp: isTime,
      at: isTime,
    },
  ]);
  const times = [view.accepted?.at, view.applied.at, view.produced[0]?.at].map((time) =>
    Date.parse(time ?? ""),
  );
  expect(times).toEqual(times.toSorted((left, right) => left - right));
});

test("a bid's trace goes on in its record and in its outputs, with a span of their own each", async () => {
  const { itemId } = await openItem();
  await place(newBid(itemId, { amount: 1000, bidderId: "ann" }));
  const headers = { traceparent, tracestate: "shop=1" };
  const told = await place(newBid(itemId, { amount: 1500 }), { headers });
  const { produced } = await settled(told.id);
  const records = [told, ...produced].map((at) => readRecord(at));
  const found = (await Promise.all(records)).map(headersOf);
  const parents = found.map((record) => record["ce_traceparent"] ?? "");
  expect(parents).toHaveLength(2);
  for (const parent of parents) expect(parent).toMatch(new RegExp(`^00-${trace}-[0-9a-f]{16}-01$`));
  expect(new Set([traceparent, ...parents]).size).toBe(3);
  expect(found.map((record) => record["ce_tracestate"])).toEqual(["shop=1", "shop=1"]);
});

test("a refused bid tells the reason, and one that is sent again is one event with its repetitions", async () => {
  const { itemId } = await openItem();
  await place(newBid(itemId, { amount: 1500, bidderId: "ann" }));
  const low = await place(newBid(itemId, { amount: 1200 }));
  const refused = await settled(low.id);
  expect(refused.applied.outcome).toEqual({ status: "rejected", reason: "too-low" });
  expect(refused.produced.map(({ type }) => type)).toEqual(["gavel.bidder.rejected.v1"]);

  const headers = { "idempotency-key": newId("bid") };
  const sent = [];
  for (let count = 0; count < 3; count += 1)
    sent.push(await place(newBid(itemId, { amount: 2000 }), { headers }));
  const [first, ...again] = sent.map(placeOf);
  const view = await settled(headers["idempotency-key"]);
  expect(view.record).toMatchObject(first ?? {});
  expect(view.applied.outcome).toEqual({ status: "accepted" });
  expect(view.repetitions.toSorted((left, right) => left.offset - right.offset)).toEqual(again);
  expect(view.totals.produced).toBe(1);
});

test("a listing is followed to its opening, and a withdrawal to the item's completion", async () => {
  const item = newItem();
  const listed = await answered<Coordinates>(
    call("/v1/items", { body: item, headers: { prefer: "wait=10" } }),
    200,
  );
  const opened = await settled(listed.id);
  expect(opened).toMatchObject({
    type: "gavel.item.listed.v1",
    itemId: item.itemId,
    source: listed.source,
    record: placeOf(listed),
    applied: { status: "applied", outcome: { status: "accepted" } },
    produced: [],
  });
  const opening = await readRecord({
    topic: topics.journal,
    partition: listed.partition,
    offset: opened.applied.position,
  });
  expect(headersOf(opening)["ce_type"]).toBe("gavel.item.opened.v1");
  await place(newBid(item.itemId));
  const withdrawn = await answered<Coordinates>(
    call(`/v1/items/${item.itemId}/withdraw`, { method: "POST", headers: { prefer: "wait=10" } }),
    200,
  );
  const view = await settled(withdrawn.id);
  // What enrich makes of it comes when it comes.
  const decided = view.produced.filter(({ topic }) => topic !== topics.validated);
  expect(decided.map(({ type }) => type).toSorted()).toEqual([
    "gavel.bidder.lost.v1",
    "gavel.item.completed.v1",
  ]);
});

test("an id that nobody sent is 404, and so is what another subject sent", async () => {
  const { itemId } = await openItem();
  const mine = await place(newBid(itemId, { bidderId: clientSubject }), { key: "client" });
  const others = await place(newBid(itemId, { amount: 2000, bidderId: "ann" }));
  expect((await lineage(mine.id, "", { key: "client" })).accepted?.subject).toBe(clientSubject);
  expect((await lineage(others.id)).id).toBe(others.id);
  // An event that no partition has come to may be any.
  await wakeAll();
  const refused: readonly (readonly [string, Call])[] = [
    [others.id, { key: "client" }],
    [newId("nobody"), {}],
    ["x".repeat(300), {}],
  ];
  for (const [id, more] of refused) {
    const response = call(`/v1/events/${id}/lineage`, more);
    expect(await answered(response, 404)).toMatchObject({ code: "unknown-event" });
  }
  const unknown = call(`/v1/events/${mine.id}/lineage?item=another-item`);
  expect(await answered(unknown, 404)).toMatchObject({ code: "unknown-event" });
  const unscoped = call(`/v1/events/${mine.id}/lineage`, { key: null });
  expect(await answered(unscoped, 401)).toMatchObject({ code: "unauthenticated" });
  const faulty = call(`/v1/events/${mine.id}/lineage?items=${itemId}`);
  expect(await answered(faulty, 400)).toMatchObject({ code: "invalid-parameter" });
});

test("of several events with one id, source and item tell which is meant", async () => {
  const [left, right] = [await openItem(), await openItem()];
  const id = `${newId("bid")}/with a slash, 100 % of it`;
  const event = (source: string, itemId: string) => ({
    specversion: "1.0",
    id,
    source,
    type: "gavel.bid.placed.v1",
    data: newBid(itemId),
  });
  const headers = { "content-type": "application/cloudevents-batch+json" };
  const body = [event("/a", left.itemId), event("/b", left.itemId), event("/a", right.itemId)];
  await answered(call("/v1/events", { body, headers }), 202);
  await eventually(async () => (await objectOf(right.itemId).status()).journal.endOffset !== null);
  const path = `/v1/events/${encodeURIComponent(id)}/lineage`;
  expect(await answered(call(path), 409)).toMatchObject({ code: "ambiguous-event" });
  expect(await answered(call(`${path}?source=/a`), 409)).toMatchObject({ code: "ambiguous-event" });
  expect(await lineage(id, "?source=/b")).toMatchObject({ source: "/b", itemId: left.itemId });
  expect(await lineage(id, `?source=/a&item=${right.itemId}`)).toMatchObject({
    source: "/a",
    itemId: right.itemId,
  });
});

test("two senders' events with one id and source are two: who may see both is asked which, and sees each", async () => {
  const { itemId } = await openItem();
  const id = newId("bid");
  const event = (bidderId: string) => ({
    ...{ specversion: "1.0", id, source: "/shop", type: "gavel.bid.placed.v1" },
    data: newBid(itemId, { bidderId }),
  });
  const headers = { "content-type": "application/cloudevents+json", prefer: "wait=10" };
  await answered(call("/v1/events", { body: event(clientSubject), headers, key: "client" }), 200);
  await answered(call("/v1/events", { body: event("ann"), headers }), 200);

  expect(await answered(call(`/v1/events/${id}/lineage`), 409)).toMatchObject({ code: "ambiguous-event" });
  const ofClient = { credential: "client", subject: clientSubject };
  const ofBackend = await lineage(id, "?subject=");
  expect(ofBackend.accepted).toMatchObject({ credential: "backend" });
  expect((await lineage(id, `?subject=${clientSubject}`)).accepted).toMatchObject(ofClient);
  expect((await lineage(id, "", { key: "client" })).accepted).toMatchObject(ofClient);
  const others = call(`/v1/events/${id}/lineage?subject=`, { key: "client" });
  expect(await answered(others, 404)).toMatchObject({ code: "unknown-event" });
});

test("an event that is in the log and not applied yet says so", async () => {
  const itemId = newId("item");
  const id = newId("unseen");
  const [listed, placed] = await append(
    listing(itemId, Date.now() + 3_600_000, { id: `${id}-item` }),
    bid(itemId, "ann", 100, { id }),
  );
  const view = await lineage(id, `?item=${itemId}`);
  expect(view).toMatchObject({
    record: { topic: topics.journal, offset: placed?.offset },
    applied: { status: "not-yet", at: null },
    produced: [],
  });
  expect(view.applied.position).toBeLessThanOrEqual(placed?.offset ?? -1);
  const item = await lineage(`${id}-item`, `?item=${itemId}`);
  expect(item).toMatchObject({
    record: { topic: topics.items, offset: listed?.offset },
    applied: { status: "not-yet" },
  });
  await objectOf(itemId).wake();
  expect((await settled(id)).applied.outcome).toEqual({ status: "accepted" });
});

test("a bid that waits for its item says so, and then which record had it judged", async () => {
  const itemId = newId("item");
  const id = newId("early");
  await objectOf(itemId).push(pushOf(await append(bid(itemId, "ann", 1, { id }))));
  expect((await lineage(id)).applied.status).toBe("waiting");
  await objectOf(itemId).push(pushOf(await append(listing(itemId, Date.now() + 3_600_000))));
  const view = await settled(id);
  expect(view.applied).toMatchObject({
    outcome: { status: "rejected", reason: "below-start" },
    decidedBy: { position: expect.any(Number) as number, at: isTime },
  });
  expect(view.produced.map(({ type }) => type)).toEqual(["gavel.bidder.rejected.v1"]);
});

test("a closing with many losers lists a hundred of its events and counts all", async () => {
  const { itemId } = await openItem({ sellerId: "seller" });
  const body = Array.from({ length: 150 }, (_, index) =>
    newBid(itemId, { bidderId: `bidder-${index}`, amount: 1000 + index }),
  );
  await answered(call("/v1/bids", { body, headers: { prefer: "return=minimal" } }), 202);
  const withdrawn = await answered<Coordinates>(
    call(`/v1/items/${itemId}/withdraw`, { method: "POST", headers: { prefer: "wait=10" } }),
    200,
  );
  const view = await settled(withdrawn.id);
  // What enrich makes of the completion comes when it comes.
  const { length: made } = view.produced.filter(({ topic }) => topic === topics.validated);
  expect(view.totals.produced - made).toBe(151);
  expect(view.produced).toHaveLength(101 + made);
});

test("after a rebuild an event is found again with the rebuild's times, and its outputs where they were", async () => {
  const { itemId } = await openItem();
  await place(newBid(itemId, { amount: 1000, bidderId: "ann" }));
  const told = await place(newBid(itemId, { amount: 1500 }));
  const before = await settled(told.id);
  const path = `/v1/groups/auction/partitions/${told.partition}/seek`;
  await answered(call(path, { key: "operator", body: { offset: 0, wipe: true } }), 200);
  await objectOf(itemId).wake();
  const after = await eventually(async () => {
    const view = await lineage(told.id);
    return view.applied.status === "applied" && view;
  }, 40_000);
  const [output] = before.produced;
  expect(after.produced).toEqual([{ ...output, at: null }]);
  expect(after.applied).toEqual({ ...before.applied, at: after.applied.at });
  expect(Date.parse(after.applied.at ?? "")).toBeGreaterThan(Date.parse(before.applied.at ?? ""));
  expect(after.record).toEqual(before.record);
});

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";
import type { Partition } from "../../../durable-objects/partition.ts";
import { eventTypes, topics } from "../../../src/topics.ts";
import {
  append,
  bid,
  eventually,
  listing,
  newId,
  objectOf,
  outputsOf,
  partitionOf,
  pushOf,
  readOutputs,
  readTopic,
  sequenceOf,
  typeOf,
} from "./world.ts";

const hour = 3_600_000;

async function openItem(itemId: string, endsAt: number, timestamp?: number): Promise<void> {
  const options = timestamp === undefined ? {} : { timestamp, trusted: true };
  const listed = await append(listing(itemId, endsAt, options));
  await objectOf(itemId).push(pushOf(listed));
}

async function viewOf(itemId: string) {
  const answer = await objectOf(itemId).readItem({ itemId, waitMs: 0 });
  return answer.kind === "item" ? answer.item : undefined;
}

async function wipe(stub: DurableObjectStub<Partition>): Promise<void> {
  await runInDurableObject(stub, (_, state) => state.storage.deleteAll());
  await evictDurableObject(stub);
}

test("a pushed run that starts at the position is applied when the push answers", async () => {
  const itemId = newId("item");
  await openItem(itemId, Date.now() + hour);
  const bids = await append(bid(itemId, "ann", 100), bid(itemId, "ben", 150));
  const { position } = await objectOf(itemId).push(pushOf(bids));
  expect(position).toBeGreaterThan(bids[1]?.offset ?? Number.POSITIVE_INFINITY);
  expect(await viewOf(itemId)).toMatchObject({ bids: 2, highest: { bidderId: "ben", amount: 150 } });
});

test("a push behind a gap is applied only after the gap was read from the log", async () => {
  const itemId = newId("item");
  await openItem(itemId, Date.now() + hour);
  const [first, second] = await append(bid(itemId, "ann", 200), bid(itemId, "ben", 150));
  if (first === undefined || second === undefined) throw new Error("two records were appended");
  await objectOf(itemId).push(pushOf([second]));
  expect(await viewOf(itemId)).toMatchObject({ bids: 1, rejected: 1, highest: { bidderId: "ann" } });
});

test("a record pushed twice, and fetched as well, is applied once", async () => {
  const itemId = newId("item");
  await openItem(itemId, Date.now() + hour);
  const bids = await append(bid(itemId, "ann", 100));
  await Promise.all([
    objectOf(itemId).push(pushOf(bids)),
    objectOf(itemId).push(pushOf(bids)),
    objectOf(itemId).wake(),
  ]);
  await objectOf(itemId).push(pushOf(bids));
  const view = await viewOf(itemId);
  expect(view).toMatchObject({ bids: 1, rejected: 0 });
});

test("state, position and outcomes outlive an eviction", async () => {
  const itemId = newId("item");
  await openItem(itemId, Date.now() + hour);
  await objectOf(itemId).push(pushOf(await append(bid(itemId, "ann", 100))));
  const before = await objectOf(itemId).digest();
  await evictDurableObject(objectOf(itemId));
  expect(await objectOf(itemId).digest()).toEqual(before);
  const [again] = await append(bid(itemId, "ben", 100));
  if (again === undefined) throw new Error("one record was appended");
  const { outcome } = await objectOf(itemId).push({ ...pushOf([again]), waitMs: 5_000 });
  expect(outcome).toMatchObject({ status: "rejected", reason: "too-low", bids: 1 });
});

test("records that no push told of are found by a wake", async () => {
  const itemId = newId("item");
  await append(listing(itemId, Date.now() + hour));
  await append(bid(itemId, "ann", 100));
  expect(await viewOf(itemId)).toBeUndefined();
  await objectOf(itemId).wake();
  expect(await viewOf(itemId)).toMatchObject({ bids: 1, highest: { bidderId: "ann" } });
});

test("an idle partition closes an item on time by a tick in the journal", async () => {
  const itemId = newId("item");
  const endsAt = Date.now() + 500;
  await openItem(itemId, endsAt);
  await objectOf(itemId).push(pushOf(await append(bid(itemId, "ann", 100))));
  const sold = await eventually(async () => {
    const view = await viewOf(itemId);
    return view?.status === "sold" ? view : undefined;
  });
  expect(Date.parse(sold.outcome?.closedAt ?? "")).toBeGreaterThanOrEqual(endsAt + 2_000);
  const journal = await readTopic(topics.journal, partitionOf(itemId));
  expect(journal.filter((record) => typeOf(record) === eventTypes.tick && record.key === itemId)).not.toEqual(
    [],
  );
});

test("a wiped object rebuilds the same state from the log and sends no output twice", async () => {
  const itemId = newId("item");
  const stub = objectOf(itemId);
  await openItem(itemId, Date.now() + hour);
  const bids = await append(
    ...Array.from({ length: 40 }, (_, index) => bid(itemId, `bidder-${index % 7}`, 100 + 5 * index)),
    bid(itemId, "late", 101),
  );
  await stub.push(pushOf(bids));
  await eventually(async () => (await stub.status()).outbox === 0);
  const before = await stub.digest();
  const ends = async (): Promise<number[]> => {
    const read = [topics.completed, topics.notifications, topics.journal].map(async (topic) => {
      return (await readTopic(topic, partitionOf(itemId))).length;
    });
    return Promise.all(read);
  };
  const written = await ends();
  await wipe(stub);
  await stub.wake();
  expect(await stub.digest()).toEqual(before);
  expect(await ends()).toEqual(written);
});

test("outputs carry a dense sequence per topic, across eviction and rebuild", async () => {
  const itemId = newId("item");
  const stub = objectOf(itemId);
  await openItem(itemId, Date.now() + hour);
  await stub.push(pushOf(await append(bid(itemId, "ann", 100), bid(itemId, "ben", 150))));
  await eventually(async () => (await stub.status()).outbox === 0);
  await wipe(stub);
  await stub.push(pushOf(await append(bid(itemId, "ann", 200), bid(itemId, "ben", 200))));
  await eventually(async () => (await stub.status()).outbox === 0);
  const sequences = (await readOutputs(topics.notifications, partitionOf(itemId))).map(sequenceOf);
  expect(sequences).toEqual(sequences.map((_, index) => index + 1));
  const types = (await outputsOf(topics.notifications, itemId)).map(typeOf);
  expect(types).toEqual([eventTypes.bidderOutbid, eventTypes.bidderOutbid, eventTypes.bidderRejected]);
});

test("a record that cannot be read ends as a dead letter, and the next one goes on", async () => {
  const itemId = newId("item");
  await openItem(itemId, Date.now() + hour);
  const broken = { ...bid(itemId, "ann", 100), value: "{not json" };
  const [unreadable, readable] = await append(broken, bid(itemId, "ben", 150));
  if (unreadable === undefined || readable === undefined) throw new Error("two records were appended");
  await objectOf(itemId).push(pushOf([unreadable, readable]));
  expect(await viewOf(itemId)).toMatchObject({ bids: 1, highest: { bidderId: "ben" } });
  const [letter] = await eventually(async () => {
    const letters = await outputsOf(topics.deadLetters, itemId);
    return letters.length > 0 && letters;
  });
  expect(JSON.parse(letter?.value ?? "{}")).toMatchObject({
    group: "auction",
    topic: topics.journal,
    partition: partitionOf(itemId),
    offset: unreadable.offset,
    error: "the value is not JSON",
    record: { key: itemId, value: "{not json" },
  });
});

test("an item that cannot be read ends as a dead letter and holds up no item behind it", async () => {
  const [brokenId, itemId] = [newId("item"), newId("item")];
  const stub = objectOf(itemId);
  const broken = { ...listing(brokenId, Date.now() + hour), partition: partitionOf(itemId), value: "[]" };
  const [first, second] = await append(broken, listing(itemId, Date.now() + hour));
  if (first === undefined || second === undefined) throw new Error("two records were appended");
  await stub.push(pushOf([first, second]));
  expect(await viewOf(itemId)).toMatchObject({ status: "open" });
  const letters = await eventually(async () => {
    const all = await readTopic(topics.deadLetters, partitionOf(itemId));
    const mine = all.filter(({ key }) => key === brokenId);
    return mine.length > 0 && mine;
  });
  expect(letters).toHaveLength(1);
});

test("a bid whose item comes later waits for it and is judged when it opens", async () => {
  const itemId = newId("item");
  const [early] = await append(bid(itemId, "ann", 100));
  if (early === undefined) throw new Error("one record was appended");
  const waiting = objectOf(itemId).push({ ...pushOf([early]), waitMs: 5_000 });
  await openItem(itemId, Date.now() + hour);
  expect((await waiting).outcome).toMatchObject({ status: "accepted", bids: 1 });
});

test("a read after a bid that came ahead of its item waits until the bid is judged", async () => {
  const itemId = newId("item");
  const [early] = await append(bid(itemId, "ann", 100));
  if (early === undefined) throw new Error("one record was appended");
  await objectOf(itemId).push(pushOf([early]));
  const after = { topic: "journal" as const, offset: early.offset };
  expect(await objectOf(itemId).readItem({ itemId, after, waitMs: 50 })).toEqual({ kind: "late" });
  const reading = objectOf(itemId).readItem({ itemId, after, waitMs: 5_000 });
  await openItem(itemId, Date.now() + hour);
  expect(await reading).toMatchObject({ kind: "item", item: { bids: 1, highest: { bidderId: "ann" } } });
});

test("a listing repeated is told so, and its terms never change", async () => {
  const itemId = newId("item");
  await openItem(itemId, Date.now() + hour);
  const [again] = await append(listing(itemId, Date.now() + 2 * hour));
  if (again === undefined) throw new Error("one record was appended");
  const before = await viewOf(itemId);
  const { outcome } = await objectOf(itemId).push({ ...pushOf([again]), waitMs: 5_000 });
  expect(outcome).toEqual({ status: "rejected", reason: "already-listed" });
  expect((await viewOf(itemId))?.item).toEqual(before?.item);
});

import { expect, test } from "vitest";
import { topics } from "../../../src/topics.ts";
import {
  append,
  bid,
  eventually,
  listing,
  newId,
  objectOf,
  partitionOf,
  pushOf,
  readTopic,
} from "../partition/world.ts";
import { answered } from "../edge/client.ts";
import { operate } from "../subscriptions/world.ts";
import { problemOf } from "./world.ts";

const hour = 3_600_000;
/** A rebuild reads what other files have left on the partition as well. */
const patienceMs = 50_000;

interface Rebuilt {
  readonly from: number;
  readonly to: number;
}

const pathOf = (itemId: string): string => `/v1/groups/auction/partitions/${partitionOf(itemId)}`;

function rebuild(itemId: string): Promise<Rebuilt> {
  return answered<Rebuilt>(operate(`${pathOf(itemId)}/seek`, { body: { offset: 0, wipe: true } }), 200);
}

/** An open item with bids, some of which are refused, all outputs in their topics. */
async function auctioned(): Promise<string> {
  const itemId = newId("item");
  await objectOf(itemId).push(pushOf(await append(listing(itemId, Date.now() + hour))));
  const bids = Array.from({ length: 30 }, (_, index) => bid(itemId, `bidder-${index % 5}`, 100 + 5 * index));
  await objectOf(itemId).push(pushOf(await append(...bids, bid(itemId, "late", 101))));
  await sent(itemId);
  return itemId;
}

async function sent(itemId: string): Promise<void> {
  await eventually(async () => (await objectOf(itemId).status()).outbox === 0, patienceMs);
}

/** The digest, once the journal is read to its end. */
function digestOf(itemId: string, position: number) {
  return eventually(async () => {
    const status = await objectOf(itemId).status();
    return status.journal.position >= position && objectOf(itemId).digest();
  }, patienceMs);
}

async function written(itemId: string): Promise<number[]> {
  const names = [topics.completed, topics.notifications, topics.journal, topics.deadLetters];
  return Promise.all(names.map(async (topic) => (await readTopic(topic, partitionOf(itemId))).length));
}

test("a rebuild makes the same state again from the log, by itself, and sends no output twice", async () => {
  const itemId = await auctioned();
  const before = await objectOf(itemId).digest();
  const outputs = await written(itemId);
  expect(await rebuild(itemId)).toMatchObject({ from: before.position, to: 0 });
  // Nobody calls it: it has an alarm.
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(await digestOf(itemId, before.position)).toEqual(before);
  await sent(itemId);
  expect(await written(itemId)).toEqual(outputs);
});

test("a rebuild while bids come loses none of them and sends nothing twice", async () => {
  const itemId = await auctioned();
  const stop = new AbortController();
  let appended = 0;
  const bidding = (async () => {
    for (let amount = 1_000; !stop.signal.aborted; amount += 5) {
      const bids = await append(bid(itemId, `bidder-${amount % 3}`, amount));
      appended += 1;
      // A push may meet the object while it starts over; the log has the bid.
      await objectOf(itemId)
        .push(pushOf(bids))
        .catch(() => undefined);
    }
  })();
  await eventually(() => Promise.resolve(appended > 5), patienceMs);
  await rebuild(itemId);
  await eventually(() => Promise.resolve(appended > 20), patienceMs);
  await rebuild(itemId);
  stop.abort();
  await bidding;
  await objectOf(itemId).wake();
  await sent(itemId);
  const answer = await objectOf(itemId).readItem({ itemId, waitMs: 0 });
  expect(answer).toMatchObject({ kind: "item", item: { bids: 30 + appended, rejected: 1 } });
  const notifications = await readTopic(topics.notifications, partitionOf(itemId));
  const ids = notifications.map(({ headers }) => headers.find(({ key }) => key === "ce_id")?.value);
  expect(new Set(ids).size).toBe(ids.length);
  const before = await objectOf(itemId).digest();
  await rebuild(itemId);
  expect(await digestOf(itemId, before.position)).toEqual(before);
});

test("two rebuilds at once end in one state, and whoever came second is told", async () => {
  const itemId = await auctioned();
  const before = await objectOf(itemId).digest();
  const body = { offset: 0, wipe: true };
  const answers = await Promise.all([1, 2, 3].map(() => operate(`${pathOf(itemId)}/seek`, { body })));
  const statuses = answers.map(({ status }) => status);
  expect(statuses).toContain(200);
  for (const status of statuses) expect([200, 503]).toContain(status);
  await Promise.all(answers.map((response) => response.text()));
  expect(await digestOf(itemId, before.position)).toEqual(before);
});

test("a rebuild is refused unless the wipe is meant, and to any offset but the start", async () => {
  const itemId = await auctioned();
  const before = await objectOf(itemId).digest();
  const seek = `${pathOf(itemId)}/seek`;
  expect(await problemOf(seek, 409, { body: { offset: 0 } })).toMatchObject({ code: "would-wipe" });
  expect(await problemOf(seek, 409, { body: { offset: 0, wipe: false, skip: true } })).toMatchObject({
    code: "would-wipe",
  });
  expect(await problemOf(seek, 409, { body: { offset: 1, wipe: true } })).toMatchObject({
    code: "not-supported",
  });
  const faulty = { body: { offset: 0, wipe: "true", sure: true } };
  expect((await problemOf(seek, 422, faulty)).errors.map(({ pointer }) => pointer).toSorted()).toEqual([
    "/sure",
    "/wipe",
  ]);
  expect(await objectOf(itemId).digest()).toEqual(before);
});

import { abortAllDurableObjects } from "cloudflare:test";
import { expect, test } from "vitest";
import { answered } from "../edge/client.ts";
import { append, eventually, newId, notification } from "../partition/world.ts";
import { done } from "../../support/receiver/script.ts";
import { operate } from "../subscriptions/world.ts";
import { NotifyPartition, problemOf, type View } from "./world.ts";

const offsetsOf = (deliveries: readonly { readonly offset: number }[]): number[] =>
  deliveries.map(({ offset }) => offset);

test("the groups are listed with the topics that they read and what they drive", async () => {
  const { groups } = await answered<{ groups: Record<string, unknown>[] }>(operate("/v1/groups"), 200);
  expect(groups).toContainEqual({
    group: "notify",
    topics: ["auction.notifications"],
    functions: "subscriptions",
    partitions: 8,
  });
  expect(groups).toContainEqual({
    group: "auction",
    topics: ["auction.bids", "auction.items"],
    functions: [],
    partitions: 8,
  });
});

test("a partition tells its position, its topic's ends, and its lag in records and in time", async () => {
  const notify = await NotifyPartition.with(0);
  const [record] = await notify.publish(newId("item"));
  await notify.delivered(1);
  const caughtUp = await notify.settled();
  const position = (record?.offset ?? 0) + 1;
  expect(caughtUp.topics).toEqual([
    expect.objectContaining({
      ...{ topic: "auction.notifications", position, endOffset: position, startOffset: 0, lag: 0, lagMs: 0 },
    }),
  ]);
  await notify.post("pause");
  await append(...Array.from({ length: 5 }, () => notification(0, newId("item"), notify.bidderId)));
  await new Promise((resolve) => setTimeout(resolve, 30));
  const behind = await notify.view();
  expect(behind).toMatchObject({ paused: true, topics: [{ position, endOffset: position + 5, lag: 5 }] });
  expect(behind.topics[0]?.lagMs).toBeGreaterThanOrEqual(30);
  const { partitions } = await answered<{ partitions: View[] }>(operate("/v1/groups/notify/partitions"), 200);
  expect(partitions).toHaveLength(8);
  expect(partitions[0]).toMatchObject({ partition: 0, paused: true, topics: [{ lag: 5 }] });
  await notify.post("resume");
  await notify.delivered(6);
});

test("a pause holds, across the end of the object, and a resume goes on where it held", async () => {
  const notify = await NotifyPartition.with(1);
  expect(await notify.post("pause")).toEqual({ group: "notify", partition: 1, paused: true });
  const records = await notify.publish(newId("item"), newId("item"), newId("item"));
  await abortAllDurableObjects();
  await notify.wake();
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(await notify.deliveries()).toEqual([]);
  expect(await notify.post("resume", {})).toMatchObject({ paused: false });
  expect(offsetsOf(await notify.delivered(3)).toSorted((a, b) => a - b)).toEqual(offsetsOf(records));
});

test("a seek back delivers again, under the ids that the records had", async () => {
  const notify = await NotifyPartition.with(2);
  const key = newId("item");
  const records = await notify.publish(key, key, key);
  const first = await notify.delivered(3);
  await notify.settled();
  const [from] = offsetsOf(records);
  const answer = await notify.post("seek", { offset: from });
  expect(answer).toMatchObject({ group: "notify", partition: 2, from: (from ?? 0) + 3, to: from });
  const all = await notify.delivered(6);
  expect(all.slice(3).map(({ id }) => id)).toEqual(first.map(({ id }) => id));
  expect(all.slice(3).every(({ attempt }) => attempt === 1)).toBe(true);
});

test("a seek of enrich says that its events are written again, and which of them counts; others do not", async () => {
  const noteOf = async (group: string): Promise<string> => {
    const seek = operate(`/v1/groups/${group}/partitions/2/seek`, { body: { offset: 0 } });
    return (await answered<{ note: string }>(seek, 200)).note;
  };
  expect(await noteOf("enrich")).toContain("the first record of a ce_id counts");
  expect(await noteOf("analytics")).not.toContain("ce_id");
});

test("a seek forward is refused without the flag and leaves out what it says with it", async () => {
  const notify = await NotifyPartition.with(3);
  await notify.post("pause");
  const records = await notify.publish(newId("item"), newId("item"), newId("item"));
  const offset = (records[0]?.offset ?? 0) + 2;
  const refused = await problemOf(`${notify.path}/seek`, 409, { body: { offset } });
  expect(refused.code).toBe("would-skip");
  expect((await notify.view()).topics[0]?.position).toBe(records[0]?.offset);
  const { note } = await notify.post<{ note: string }>("seek", { offset, skip: true });
  expect(note).toContain(`from ${offset - 2} to ${offset - 1} is left out`);
  expect(note).toContain("nothing is delivered until it is resumed");
  expect(await notify.view()).toMatchObject({ paused: true, topics: [{ position: offset }] });
  await notify.post("resume");
  expect(offsetsOf(await notify.delivered(1))).toEqual([offset]);
});

test("a seek beyond the log's end is refused with the flag as well", async () => {
  const notify = await NotifyPartition.with(4);
  const { topics } = await notify.settled();
  for (const offset of [(topics[0]?.endOffset ?? 0) + 1, Number.MAX_SAFE_INTEGER]) {
    const refused = await problemOf(`${notify.path}/seek`, 409, { body: { offset, skip: true } });
    expect(refused).toMatchObject({ code: "beyond-end", detail: `The log ends at ${topics[0]?.endOffset}` });
  }
  await notify.publish(newId("item"));
  await notify.delivered(1);
});

test("a seek while calls are under way waits for them, and a later call of a record never overlaps", async () => {
  const notify = await NotifyPartition.with(5);
  await notify.endpoint.script(done(300));
  const key = newId("item");
  const records = await notify.publish(key, key);
  await eventually(async () => (await notify.deliveries()).length > 0);
  await notify.post("seek", { offset: records[0]?.offset });
  const deliveries = await notify.delivered(3);
  // The receiver reports overlaps of a key as violations, which `deliveries` holds to none.
  expect(offsetsOf(deliveries).slice(0, 3)).toEqual([0, 0, 1].map((index) => records[index]?.offset));
});

test("seeks, pauses and resumes at once leave the partition as the last ones say, and lose nothing", async () => {
  const notify = await NotifyPartition.with(6);
  const keys = Array.from({ length: 20 }, () => newId("item"));
  const records = await notify.publish(...keys);
  const offset = records[0]?.offset ?? 0;
  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, index) => {
      if (index % 3 === 0)
        return operate(`${notify.path}/seek`, { body: { offset: offset + (index % 2) * 5 } });
      return operate(`${notify.path}/${index % 3 === 1 ? "pause" : "resume"}`, { method: "POST" });
    }),
  );
  // Pauses and resumes always hold; a seek that comes to another one's way says that it is busy.
  for (const [index, { status }] of answers.entries())
    expect(index % 3 === 0 ? [200, 409, 503] : [200]).toContain(status);
  await notify.post("seek", { offset });
  await notify.post("pause");
  expect(await notify.view()).toMatchObject({ paused: true });
  await notify.post("resume");
  await notify.settled();
  expect(new Set(offsetsOf(await notify.deliveries()))).toEqual(new Set(offsetsOf(records)));
});

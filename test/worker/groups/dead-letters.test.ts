import { expect, test } from "vitest";
import { topics } from "../../../src/topics.ts";
import { done, status } from "../../support/receiver/script.ts";
import { answered } from "../edge/client.ts";
import { eventually, newId, readTopic } from "../partition/world.ts";
import { operate } from "../subscriptions/world.ts";
import { type Letter, NotifyPartition, problemOf } from "./world.ts";

const refuses = status(400);

/** A partition whose subscriber has refused one record for each key. */
async function refusedOn(partition: number, ...keys: string[]): Promise<NotifyPartition> {
  const notify = await NotifyPartition.with(partition);
  await notify.endpoint.script(refuses);
  await notify.publish(...keys);
  await eventually(async () => (await notify.letters()).length === keys.length);
  return notify;
}

const offsets = (of: readonly { readonly offset: number }[]): number[] => of.map(({ offset }) => offset);

test("what its function refused is listed, with its coordinates, its attempts and why", async () => {
  const key = newId("item");
  const notify = await refusedOn(0, key);
  const [letter] = await notify.letters();
  expect(letter).toEqual({
    id: expect.stringMatching(/^0-\d+$/) as string,
    partition: 0,
    function: notify.name,
    key,
    offset: expect.any(Number) as number,
    attempts: 1,
    redriven: 0,
    error: expect.stringContaining("400") as string,
    endedAt: expect.stringMatching(/^\d{4}-.*Z$/) as string,
  });
  expect((await notify.view()).deadLettered).toBeGreaterThanOrEqual(1);
});

test("the newest of all partitions come first, and of one of them page by page, each once", async () => {
  const notify = await refusedOn(1, newId("item"), newId("item"), newId("item"));
  const all = await answered<{ deadLetters: Letter[] }>(
    operate("/v1/groups/notify/dead-letters?limit=2"),
    200,
  );
  expect(all.deadLetters).toHaveLength(2);
  expect(all.deadLetters.every((letter) => letter.function === notify.name)).toBe(true);
  const path = "/v1/groups/notify/dead-letters?partition=1&limit=2";
  const first = await answered<{ deadLetters: Letter[]; next: string }>(operate(path), 200);
  const rest = await answered<{ deadLetters: Letter[] }>(operate(`${path}&before=${first.next}`), 200);
  const mine = [...first.deadLetters, ...rest.deadLetters].filter((one) => one.function === notify.name);
  expect(offsets(mine)).toEqual(offsets(await notify.letters()).toReversed());
  for (const query of [
    "before=1-2",
    "partition=1&before=2-1",
    "partition=1&before=x",
    "partition=-1",
    "limit=0",
  ])
    expect(await problemOf(`/v1/groups/notify/dead-letters?${query}`, 400), query).toMatchObject({
      code: "invalid-parameter",
    });
  expect(await problemOf("/v1/groups/notify/dead-letters?partition=8", 404)).toMatchObject({
    code: "not-found",
  });
});

test("one is redriven by its id: it is called from its first attempt on, and the others stay", async () => {
  const notify = await refusedOn(2, newId("item"), newId("item"));
  const [first, second] = await notify.letters();
  await notify.endpoint.script(done());
  const answer = await notify.redrive({ ids: [second?.id] });
  expect(answer).toMatchObject({ group: "notify", redriven: 1, partitions: [{ partition: 2, redriven: 1 }] });
  const last = (await notify.delivered(3)).at(-1);
  expect(last).toMatchObject({ offset: second?.offset, attempt: 1, verdict: "done" });
  expect(await notify.letters()).toEqual([first]);
  // Again, it is no dead letter any more.
  expect(await notify.redrive({ ids: [second?.id] })).toMatchObject({ redriven: 0 });
});

test("some are redriven in offset order for each key, in whatever order they are named", async () => {
  const [key, other] = [newId("item"), newId("item")];
  const notify = await refusedOn(3, key, other, key, other, key, key);
  const letters = await notify.letters();
  const named = letters.filter((_, index) => index !== 4);
  await notify.endpoint.script(done(20));
  await notify.redrive({ ids: named.toReversed().map(({ id }) => id) });
  const again = (await notify.delivered(11)).slice(6);
  for (const of of [key, other]) {
    const expected = offsets(named.filter((letter) => letter.key === of));
    expect(offsets(again.filter((delivery) => delivery.key === of))).toEqual(expected);
  }
  expect(await notify.letters()).toEqual([letters[4]]);
});

test("all are redriven, of every partition", async () => {
  const notify = await refusedOn(4, newId("item"), newId("item"), newId("item"));
  await notify.endpoint.script(done());
  const answer = await notify.redrive<{ redriven: number; partitions: object[] }>({ all: true });
  expect(answer.partitions).toHaveLength(8);
  expect(answer.partitions[4]).toMatchObject({ partition: 4, redriven: 3 });
  await notify.settled();
  expect(await notify.letters()).toEqual([]);
  expect((await notify.deliveries()).filter(({ verdict }) => verdict === "done")).toHaveLength(3);
});

test("a redriven record that is refused again is a dead letter again, and told again in its topic", async () => {
  const key = newId("item");
  const notify = await refusedOn(5, key);
  const [first] = await notify.letters();
  await notify.redrive({ ids: [first?.id] });
  await notify.delivered(2);
  const [again] = await eventually(async () => {
    const letters = await notify.letters();
    return letters[0]?.redriven === 1 && letters;
  });
  expect(again).toMatchObject({ key, offset: first?.offset, attempts: 1 });
  expect(again?.id).not.toBe(first?.id);
  const told = await eventually(async () => {
    const records = (await readTopic(topics.deadLetters, 5)).filter((record) => record.key === key);
    return records.length === 2 && records;
  });
  expect(
    new Set(told.map(({ headers }) => headers.find(({ key: name }) => name === "ce_id")?.value)).size,
  ).toBe(2);
});

test("a redrive of a paused partition waits for its resume", async () => {
  const notify = await refusedOn(6, newId("item"));
  const [letter] = await notify.letters();
  await notify.endpoint.script(done());
  await notify.post("pause");
  expect(await notify.redrive({ ids: [letter?.id] })).toMatchObject({ redriven: 1 });
  await new Promise((resolve) => setTimeout(resolve, 150));
  expect(await notify.deliveries()).toHaveLength(1);
  await notify.post("resume");
  expect((await notify.delivered(2)).at(-1)).toMatchObject({ offset: letter?.offset, verdict: "done" });
});

test("two redrives of the same record at once call it once", async () => {
  const notify = await refusedOn(7, newId("item"));
  const [letter] = await notify.letters();
  await notify.endpoint.script(done());
  const answers = await Promise.all(
    [1, 2, 3].map(() => notify.redrive<{ redriven: number }>({ ids: [letter?.id] })),
  );
  expect(answers.reduce((sum, { redriven }) => sum + redriven, 0)).toBe(1);
  await notify.settled();
  expect(await notify.deliveries()).toHaveLength(2);
});

import { abortAllDurableObjects } from "cloudflare:test";
import { expect, test } from "vitest";
import { topics } from "../../../src/topics.ts";
import { done, status } from "../../support/receiver/script.ts";
import { answered } from "../edge/client.ts";
import { eventually, newId, readTopic } from "../partition/world.ts";
import { operate } from "../subscriptions/world.ts";
import { NotifyPartition, problemOf } from "./world.ts";

/** So late that only an operator has it called again. */
const hourLater = status(503, { "retry-after": "3600" });

async function parkedOn(partition: number, ...keys: string[]): Promise<NotifyPartition> {
  const notify = await NotifyPartition.with(partition);
  await notify.endpoint.script(hourLater);
  await notify.publish(...keys);
  await eventually(async () => (await notify.parked()).length >= new Set(keys).size);
  return notify;
}

const segment = encodeURIComponent;

test("what waits for a retry is listed with its key, its attempts and why", async () => {
  const key = newId("item");
  const notify = await parkedOn(0, key);
  const [entry, ...others] = await notify.parked();
  expect(others).toEqual([]);
  expect(entry).toMatchObject({ function: notify.name, key, attempts: 1 });
  expect(entry?.error).toContain("503");
  const minutes = (Date.parse(String(entry?.nextAttemptAt)) - Date.now()) / 60_000;
  expect(minutes).toBeGreaterThan(55);
  expect(Date.parse(String(entry?.firstAttemptAt))).toBeLessThanOrEqual(Date.now());
  expect(await notify.view()).toMatchObject({ parked: 1, oldest: entry?.offset, topics: [{ lag: 0 }] });
});

test("a retry has what is parked of one key called at once, and nothing else", async () => {
  const [key, other] = [newId("item"), newId("item")];
  const notify = await parkedOn(1, key, other);
  await notify.endpoint.script(done());
  expect(await notify.post(`parked/${key}/retry`)).toEqual({
    group: "notify",
    partition: 1,
    key,
    records: 1,
  });
  await eventually(async () => (await notify.parked()).length === 1);
  expect(await notify.parked()).toMatchObject([{ key: other }]);
  const finished = (await notify.deliveries()).filter(({ verdict }) => verdict === "done");
  expect(finished).toMatchObject([{ key, attempt: 2 }]);
});

test("a skip ends what is parked of a key as a dead letter, in its topic as well, and its key goes on", async () => {
  const key = newId("item");
  const notify = await parkedOn(2, key);
  const [parked] = await notify.parked();
  await notify.endpoint.script(done());
  expect(await notify.post(`parked/${key}/skip`, {})).toMatchObject({ records: 1 });
  expect(await notify.parked()).toEqual([]);
  const [letter] = await notify.letters();
  expect(parked?.error).toContain("503");
  expect(letter).toMatchObject({
    key,
    offset: parked?.offset,
    error: `skipped by an operator; last: ${String(parked?.error)}`,
  });
  const [told] = await eventually(async () => {
    const letters = (await readTopic(topics.deadLetters, 2)).filter((record) => record.key === key);
    return letters.length > 0 && letters;
  });
  expect(JSON.parse(told?.value ?? "")).toMatchObject({
    ...{ group: "notify", topic: topics.notifications, partition: 2, offset: parked?.offset, attempts: 1 },
    error: letter?.error,
  });
  await notify.publish(key);
  expect((await notify.delivered(2)).map(({ verdict }) => verdict)).toEqual(["retry", "done"]);
});

test("a retry and a skip hold across the object's end", async () => {
  const [key, other] = [newId("item"), newId("item")];
  const notify = await parkedOn(3, key, other);
  await notify.post(`parked/${other}/skip`);
  await abortAllDurableObjects();
  await notify.wake();
  expect(await notify.parked()).toMatchObject([{ key }]);
  expect(await notify.letters()).toMatchObject([{ key: other }]);
});

test.each(["with/slash", "100%", "%2F", "a b+c&d=e?f#g", "Stühle-🪑", "..%2f..", "'; DROP TABLE parked; --"])(
  "a key is what its record has, whatever is in it: %s",
  async (text) => {
    const key = `${text}-${newId("x")}`;
    const notify = await parkedOn(4, key);
    await notify.endpoint.script(done());
    expect(await notify.post(`parked/${segment(key)}/retry`)).toMatchObject({ key, records: 1 });
    await notify.settled();
    expect((await notify.deliveries()).at(-1)).toMatchObject({ key, verdict: "done" });
  },
);

test("records without a key are called again by the empty one", async () => {
  const notify = await parkedOn(7, "");
  await notify.endpoint.script(done());
  expect(await notify.post("parked//retry")).toMatchObject({ key: "", records: 1 });
  await notify.settled();
});

test("a key that nothing is parked of is 404, and so is one that a call is under way for", async () => {
  const notify = await NotifyPartition.with(5);
  for (const key of ["nobody", "%00", "a".repeat(1_000), "%zz", "%2e%2e%2f"]) {
    expect(await problemOf(`${notify.path}/parked/${key}/retry`, 404, { method: "POST" })).toMatchObject({
      code: "not-found",
    });
    expect(await problemOf(`${notify.path}/parked/${key}/skip`, 404, { method: "POST" })).toMatchObject({
      code: "not-found",
    });
  }
});

test("parked records come page by page, each once", async () => {
  const keys = Array.from({ length: 4 }, () => newId("item"));
  const notify = await parkedOn(6, ...keys);
  const seen: string[] = [];
  let next: string | undefined = "";
  for (let pages = 0; next !== undefined && pages < 5; pages += 1) {
    const cursor = next === "" ? "" : `&cursor=${next}`;
    const page: { parked: { key: string }[]; next?: string } = await answered(
      operate(`${notify.path}/parked?limit=3${cursor}`),
      200,
    );
    seen.push(...page.parked.map(({ key }) => key));
    next = page.next;
  }
  expect(seen).toEqual(keys);
  expect(await problemOf(`${notify.path}/parked?cursor=x`, 400)).toMatchObject({ code: "invalid-parameter" });
  for (const limit of ["0", "501", "-1", "1e2", "x", "9".repeat(30)])
    expect(await problemOf(`${notify.path}/parked?limit=${limit}`, 400)).toMatchObject({
      code: "invalid-parameter",
    });
});

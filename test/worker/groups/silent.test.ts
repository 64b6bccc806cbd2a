import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { createApp } from "../../../src/app.ts";
import { answered, keys } from "../edge/client.ts";
import { append, newId, notification } from "../partition/world.ts";
import { NotifyPartition } from "./world.ts";

const real = (env as unknown as { PARTITIONS: DurableObjectNamespace }).PARTITIONS;
/** An object that has just come up while the log is away: it waits for what it must know. */
const waiting = { functionGroupStatus: () => new Promise(() => undefined) };
const withOneSilent = {
  ...env,
  PARTITIONS: { getByName: (name: string) => (name === "notify/3" ? waiting : real.getByName(name)) },
};

async function get(path: string): Promise<{ readonly response: Response; readonly ms: number }> {
  const context = createExecutionContext();
  const headers = { authorization: `Bearer ${keys.operator}` };
  const startedAt = Date.now();
  const response = await createApp().fetch(
    new Request(`https://gavel.test${path}`, { headers }),
    withOneSilent,
    context,
  );
  const ms = Date.now() - startedAt;
  await waitOnExecutionContext(context);
  return { response, ms };
}

test("the listing tells the other partitions while one does not answer, and which one that is", async () => {
  const { ms, response } = await get("/v1/groups/notify/partitions");
  const { partitions } = await answered<{ partitions: Record<string, unknown>[] }>(response, 200);
  expect(partitions).toHaveLength(8);
  expect(partitions[3]).toEqual({ group: "notify", partition: 3, stalled: "Partition 3 does not answer" });
  for (const one of partitions.toSpliced(3, 1)) expect(one).toMatchObject({ topics: [{}] });
  expect(ms).toBeLessThan(8_000);
});

test("the figures come before a scrape gives up while an object does not answer, which is not up", async () => {
  const { ms, response } = await get("/metrics");
  const lines = (await response.text()).split("\n");
  expect(lines).toContain('gavel_group_up{group="notify",partition="3"} 0');
  expect(lines.filter((line) => line.startsWith("gavel_group_up{") && line.endsWith(" 0"))).toHaveLength(1);
  expect(lines.some((line) => line.startsWith('gavel_group_paused{group="notify",partition="4"'))).toBe(true);
  expect(ms).toBeLessThan(8_000);
});

test("that one alone is 503", async () => {
  const { response } = await get("/v1/groups/notify/partitions/3");
  expect(await answered(response, 503)).toMatchObject({ code: "partition-unavailable" });
});

test("a record that comes after a quiet hour is not an hour late", async () => {
  const notify = await NotifyPartition.with(7);
  const hourAgo = Date.now() - 3_600_000;
  await append({ ...notification(7, newId("item"), notify.bidderId), timestamp: hourAgo });
  await notify.wake();
  await notify.settled();
  await notify.post("pause");
  await append(notification(7, newId("item"), notify.bidderId));
  const { topics } = await notify.view();
  expect(topics).toMatchObject([{ lag: 1 }]);
  expect(topics[0]?.lagMs).toBeLessThan(60_000);
  await notify.post("resume");
});

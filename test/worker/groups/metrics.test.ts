import { expect, test } from "vitest";
import { scraped } from "../edge/scrape.ts";
import { append, newId, notification } from "../partition/world.ts";
import { NotifyPartition } from "./world.ts";

test("the figures tell every partition's lag, in records and in time, and what is parked", async () => {
  const notify = await NotifyPartition.with(6);
  const of = (name: string, topic = "") => `gavel_group_${name}{group="notify"${topic},partition="6"}`;
  const topic = ',topic="auction.notifications"';
  await notify.endpoint.script({ kind: "status", status: 200, listed: "retry" });
  await notify.publish(newId("item"));
  await notify.delivered(1);
  await expect.poll(async () => (await scraped()).get(of("parked_records")), { timeout: 10_000 }).toBe(1);
  await notify.post("pause");
  await append(notification(6, newId("item"), notify.bidderId));
  await new Promise((resolve) => setTimeout(resolve, 30));
  const figures = await scraped();
  expect(figures.get(of("lag_records", topic))).toBe(1);
  expect(figures.get(of("lag_seconds", topic))).toBeGreaterThanOrEqual(0.03);
  expect(figures.get(of("paused"))).toBe(1);
  expect(figures.get(of("up"))).toBe(1);
  expect([...figures.keys()].filter((key) => key.startsWith("gavel_group_up"))).toHaveLength(6 * 8);
  await notify.post("resume");
});

import { expect, test } from "vitest";
import { append, newId, notification } from "../partition/world.ts";
import { operate } from "../subscriptions/world.ts";
import { NotifyPartition } from "./world.ts";

/** The text, checked line by line against the format's grammar, as samples by name and labels. */
async function scraped(): Promise<Map<string, number>> {
  const response = await operate("/metrics");
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  const samples = new Map<string, number>();
  let family = "";
  for (const line of (await response.text()).trimEnd().split("\n")) {
    const type = /^# TYPE ([a-z_]+) (?:gauge|counter)$/.exec(line);
    if (type !== null) family = type[1] ?? "";
    if (line.startsWith("#")) continue;
    const [, name = "", labels = "", value = ""] = /^([a-z_]+)(\{[^{}]*\}) (-?[0-9.]+)$/.exec(line) ?? [];
    expect(name, line).toBe(family);
    expect(samples.has(name + labels), line).toBe(false);
    samples.set(name + labels, Number(value));
  }
  return samples;
}

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

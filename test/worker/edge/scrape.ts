import { expect } from "vitest";
import { call } from "./client.ts";

const sample = /^([a-z_]+)(\{(?:[a-z]+="[^"\\\n]*",?)*\})? (-?[0-9.]+(?:e-?[0-9]+)?)$/;

/** `/metrics`, checked line by line against the format's grammar, as samples by name and labels. */
export async function scraped(): Promise<Map<string, number>> {
  const response = await call("/metrics", { key: "operator" });
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  const samples = new Map<string, number>();
  let family = "";
  for (const line of (await response.text()).trimEnd().split("\n")) {
    const type = /^# TYPE ([a-z_]+) (?:gauge|counter|histogram)$/.exec(line);
    if (type !== null) family = type[1] ?? "";
    if (line.startsWith("#")) continue;
    const [, name = "", labels = "", value = ""] = sample.exec(line) ?? [];
    expect(name.replace(/_(?:bucket|sum|count)$/, ""), line).toBe(family);
    expect(samples.has(name + labels), line).toBe(false);
    samples.set(name + labels, Number(value));
  }
  return samples;
}

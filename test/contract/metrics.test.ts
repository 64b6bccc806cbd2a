import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { freshHome, npmStart } from "../e2e/support/home.ts";
import { item, send } from "../e2e/support/http.ts";
import { pythonTools } from "../support/python.ts";

interface Family {
  /** Without the `_total` of a counter, as Prometheus's library has it. */
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly (readonly [
    name: string,
    labels: Readonly<Record<string, string>>,
    value: number,
  ])[];
}

let python: string;

beforeAll(async () => {
  python = join(await pythonTools(), "python");
});

/** What Prometheus's own parser makes of the text. @throws where it refuses it */
function parsed(text: string): Map<string, Family> {
  const script = join(import.meta.dirname, "read-metrics.py");
  const { status, stdout, stderr } = spawnSync(python, [script], { input: text, encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  const families = JSON.parse(stdout) as Family[];
  // A family that comes in two parts would be two here.
  expect(new Set(families.map(({ name }) => name)).size).toBe(families.length);
  return new Map(families.map((family) => [family.name, family]));
}

function valueOf(families: ReadonlyMap<string, Family>, name: string, labels: object): number | undefined {
  const family = families.get(name.replace(/_(?:total|bucket|sum|count)$/, ""));
  const isOf = (own: object): boolean => JSON.stringify(own) === JSON.stringify(labels);
  return family?.samples.find(([sample, own]) => sample === name && isOf(own))?.[2];
}

describe("the figures of a running gateway", () => {
  it("are read by Prometheus's own parser as they are meant: counters, gauges and a histogram that adds up", async () => {
    const { local } = await npmStart({ home: freshHome() });
    const { backend, operator } = local.keys;
    await send(`${local.url}/v1/items`, backend, item("lamp", 60_000));
    await send(`${local.url}/v1/items`, backend, [
      item("chair", 60_000),
      { ...item("desk", 60_000), colour: 1 },
    ]);
    await send(`${local.url}/v1/items`, "nobody", item("lamp", 60_000));
    const response = await fetch(`${local.url}/metrics`, {
      headers: { authorization: `Bearer ${operator}` },
    });
    expect([response.status, response.headers.get("content-type")]).toEqual([
      200,
      "text/plain; version=0.0.4; charset=utf-8",
    ]);
    const families = parsed(await response.text());

    const route = { route: "/v1/items", method: "POST" };
    expect(valueOf(families, "gavel_requests_total", { ...route, status: "202" })).toBe(1);
    expect(valueOf(families, "gavel_requests_total", { ...route, status: "207" })).toBe(1);
    expect(valueOf(families, "gavel_requests_total", { ...route, status: "401" })).toBe(1);
    expect(valueOf(families, "gavel_refusals_total", { code: "unauthenticated" })).toBe(1);
    expect(valueOf(families, "gavel_rejected_events_total", { code: "unknown-field" })).toBe(1);
    expect(valueOf(families, "gavel_events_total", { outcome: "accepted" })).toBe(2);
    expect(valueOf(families, "gavel_meters_up", {})).toBe(1);
    expect(valueOf(families, "gavel_group_up", { group: "auction", partition: "0" })).toBe(1);
    expect(valueOf(families, "gavel_feed_connections", { feed: "0" })).toBe(0);
    expect(families.get("gavel_group_lag_records")?.samples.length).toBeGreaterThan(8);

    const produce = families.get("gavel_produce_duration_seconds");
    expect(produce?.type).toBe("histogram");
    const buckets = produce?.samples.filter(([name]) => name.endsWith("_bucket")) ?? [];
    const heights = buckets.map(([, , value]) => value);
    expect(heights).toEqual(heights.toSorted((left, right) => left - right));
    expect(buckets.at(-1)?.[1]).toEqual({ le: "+Inf" });
    expect(heights.at(-1)).toBe(2);
    expect(valueOf(families, "gavel_produce_duration_seconds_count", {})).toBe(2);
    expect(valueOf(families, "gavel_produce_duration_seconds_sum", {})).toBeGreaterThan(0);

    for (const { name, type, help, samples } of families.values()) {
      expect(["counter", "gauge", "histogram"], name).toContain(type);
      expect(help, name).not.toBe("");
      for (const [, , value] of samples) expect(value, name).toBeGreaterThanOrEqual(0);
    }
  });

  it("would be refused if they were not what the format asks for", () => {
    for (const line of ['gavel_requests_total{route="/v1/items} 1', "gavel_requests_total one"])
      expect(() => parsed(`${line}\n`), line).toThrow("could not convert");
  });
});

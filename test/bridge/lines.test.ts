import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { RateBound } from "../../bridge/telemetry/rate-bound.ts";
import { Telemetry } from "../../bridge/telemetry/telemetry.ts";
import { authorization, ended, spawnBridge } from "./child.ts";
import { makeDirectory } from "./sqlite-support.ts";

interface Line {
  readonly time: string;
  readonly level: string;
  readonly event: string;
  readonly url?: string;
}

describe("the lines of a bridge's process", () => {
  let directory: Awaited<ReturnType<typeof makeDirectory>>;
  beforeEach(async () => {
    directory = await makeDirectory();
  });
  afterEach(() => directory.remove());

  const credentials = { BRIDGE_USERNAME: "tester", BRIDGE_PASSWORD: "only-for-tests" };
  const spawned = (...more: string[]) => {
    const file = join(directory.path, "log.sqlite");
    return spawnBridge(["--file", file, "--topics", "bids", "--port", "0", ...more], credentials);
  };

  test("are JSON, each an event with its time: listening, refused credentials, stopping, stopped", async () => {
    const child = spawned();
    let output = "";
    child.stdout?.on("data", (chunk) => (output += String(chunk)));
    const gone = ended(child);
    await expect.poll(() => output, { timeout: 20_000 }).toContain('"listening"');
    const { url } = JSON.parse(output) as Line;
    const refused = await fetch(`${url}/topics`, {
      headers: { authorization: `Basic ${Buffer.from("a-name:a-guess").toString("base64")}` },
    });
    expect(refused.status).toBe(401);
    expect((await fetch(`${url}/topics`, { headers: { authorization } })).status).toBe(200);
    child.kill("SIGTERM");
    const { code, errors } = await gone;
    expect(code).toBe(0);
    const lines = (output + errors)
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Line);
    expect(lines.map(({ level, event }) => [level, event])).toEqual([
      ["info", "listening"],
      ["info", "stopping"],
      ["info", "stopped"],
      ["warn", "credentials-refused"],
    ]);
    for (const { time } of lines) expect(new Date(time).toISOString()).toBe(time);
    // What a client sent and where it is are in none of them.
    expect(errors).not.toMatch(/a-name|a-guess|127\.0\.0\.1|::1/);
    expect(output + errors).not.toContain(credentials.BRIDGE_PASSWORD);
  });

  test("below --log-level are left out", async () => {
    // Nothing says where it listens, so it is told.
    const probe = createServer().listen(0, "127.0.0.1");
    await once(probe, "listening");
    const { port } = probe.address() as AddressInfo;
    probe.close();
    const child = spawned("--log-level", "error", "--port", `${port}`);
    const gone = ended(child);
    const status = async () => (await fetch(`http://127.0.0.1:${port}/topics`)).status;
    await expect.poll(() => status().catch(() => 0), { timeout: 20_000 }).toBe(401);
    child.kill("SIGTERM");
    expect(await gone).toMatchObject({ code: 0, output: "", errors: "" });
  });
});

describe("lines that others cause", () => {
  test("are bounded by kind, and the next one tells how many were left out", () => {
    const bound = new RateBound(2, 1_000);
    expect([0, 1, 2, 3].map((now) => bound.pass("a", now))).toEqual([0, 0, null, null]);
    expect(bound.pass("b", 4)).toBe(0);
    expect([999, 1_000, 1_001, 1_002].map((now) => bound.pass("a", now))).toEqual([null, 3, 0, null]);
  });

  test("brokers' errors are logged by name, few of many, and not those of everyday", () => {
    const lines: unknown[] = [];
    let now = 0;
    const telemetry = new Telemetry(
      (level, event, fields) => lines.push({ level, event, ...fields }),
      () => now,
    );
    for (let time = 0; time < 25; time++) telemetry.brokerError("NOT_ENOUGH_REPLICAS");
    telemetry.brokerError("REBALANCE_IN_PROGRESS");
    expect(lines).toHaveLength(10);
    now = 10_000;
    telemetry.brokerError("NOT_ENOUGH_REPLICAS");
    expect(lines.at(-1)).toEqual({
      level: "warn",
      event: "broker-error",
      error: "NOT_ENOUGH_REPLICAS",
      leftOut: 15,
    });
  });

  test("a defect's line holds no address", () => {
    const lines: Record<string, unknown>[] = [];
    const telemetry = new Telemetry((level, event, fields) => lines.push({ level, event, ...fields }));
    telemetry.defect(new Error("read ECONNRESET 203.0.113.9:443 and 2001:db8::7"));
    expect(lines).toMatchObject([{ level: "error", event: "defect" }]);
    expect(JSON.stringify(lines)).not.toMatch(/203\.0\.113\.9|2001:db8/);
  });
});

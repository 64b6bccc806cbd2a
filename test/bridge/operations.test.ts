import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { LogFailure } from "../../bridge/log.ts";
import { type Bridge, type BridgeOptions, startBridge } from "../../bridge/server.ts";
import { SqliteLog } from "../../bridge/sqlite/sqlite-log.ts";
import { Telemetry } from "../../bridge/telemetry/telemetry.ts";
import { parseExposition } from "./exposition.ts";
import { makeDirectory } from "./sqlite-support.ts";

const authorization = `Basic ${Buffer.from("u:p").toString("base64")}`;

/** The embedded log, of which a test can say what is wrong: a double only in that. */
class AilingLog extends SqliteLog {
  ailments: readonly string[] = [];
  silence: LogFailure | null = null;

  override problems(): readonly string[] {
    return [...super.problems(), ...this.ailments];
  }

  override async topics(): Promise<ReadonlyMap<string, number>> {
    if (this.silence !== null) throw this.silence;
    return super.topics();
  }
}

describe("operating a bridge", () => {
  let directory: Awaited<ReturnType<typeof makeDirectory>>;
  let log: AilingLog;
  let bridge: Bridge;
  let lines: Record<string, unknown>[];
  let telemetry: Telemetry;

  beforeEach(async () => {
    directory = await makeDirectory();
    mkdirSync(directory.path, { recursive: true });
    log = new AilingLog({ file: join(directory.path, "log.sqlite"), topics: { bids: 1 } });
    lines = [];
    telemetry = new Telemetry((level, event, fields) => lines.push({ level, event, ...fields }));
  });
  afterEach(async () => {
    await bridge.stop();
    await directory.remove();
  });

  const start = async (more: Partial<Pick<BridgeOptions, "metricsOpen">> = {}) => {
    bridge = await startBridge({ log, port: 0, username: "u", password: "p", telemetry, ...more });
  };
  const get = (path: string, headers: Record<string, string> = { authorization }) =>
    fetch(bridge.url + path, { headers });
  const send = (path: string, body: unknown, password = "p") =>
    fetch(bridge.url + path, {
      method: "POST",
      headers: { authorization: `Basic ${Buffer.from(`u:${password}`).toString("base64")}` },
      body: JSON.stringify(body),
    });
  const families = async () => parseExposition(await (await get("/metrics")).text());
  const value = async (family: string, labels: Record<string, string> = {}) => {
    const samples = (await families()).get(`gavel_bridge_${family}`)?.samples ?? [];
    return samples.find((sample) =>
      Object.entries(labels).every(([name, text]) => sample.labels[name] === text),
    )?.value;
  };

  test("healthz says that the process runs, whatever ails the log", async () => {
    await start();
    log.ailments = ["Something is wrong."];
    const response = await get("/healthz", {});
    expect([response.status, await response.json()]).toEqual([200, { status: "ok" }]);
  });

  test("readyz is 503 while the log has problems or does not answer; only credentials hear why", async () => {
    await start();
    const ready = async (headers?: Record<string, string>) => {
      const response = await get("/readyz", headers);
      return { status: response.status, body: await response.json() };
    };
    expect(await ready({})).toEqual({ status: 200, body: { status: "ready" } });
    log.ailments = ["Topic bids has 2 partitions, not 1."];
    log.silence = new LogFailure("unavailable", "none", "Kafka cannot be reached");
    // An answer is kept for a moment.
    await expect
      .poll(() => ready(), { timeout: 5_000 })
      .toEqual({
        status: 503,
        body: {
          status: "not ready",
          reasons: [
            "The log does not tell its topics: Kafka cannot be reached",
            "Topic bids has 2 partitions, not 1.",
          ],
        },
      });
    expect(await ready({})).toEqual({ status: 503, body: { status: "not ready" } });
    log.ailments = [];
    log.silence = null;
    await expect.poll(() => ready(), { timeout: 5_000 }).toEqual({ status: 200, body: { status: "ready" } });
  });

  test("readyz asks the log once for many callers, so that nobody without credentials keeps it busy", async () => {
    await start();
    let asked = 0;
    const { promise, resolve } = Promise.withResolvers<ReadonlyMap<string, number>>();
    log.topics = () => {
      asked++;
      return promise;
    };
    const answers = Array.from({ length: 20 }, () => get("/readyz", {}));
    await expect.poll(() => asked).toBe(1);
    resolve(new Map());
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(
      Array.from({ length: 20 }, () => 200),
    );
    expect(asked).toBe(1);
  });

  test("metrics count requests, records and bytes, and a parser of the format takes them", async () => {
    await start();
    const records = ["a", "b", "c"].map((text) => ({ topic: "bids", partition: 0, value: text }));
    await send("/produce", records);
    await send("/produce", { topic: "nowhere", value: "v" });
    const answer = await (
      await send("/fetch", { topic: "bids", partition: 0, offset: 1, timeout: 0 })
    ).text();
    await get("/no/such/path");
    await get("/topics", {});

    expect(await value("requests_total", { verb: "produce", status: "200" })).toBe(1);
    expect(await value("requests_total", { verb: "produce", status: "404" })).toBe(1);
    expect(await value("requests_total", { verb: "other", status: "404" })).toBe(1);
    expect(await value("requests_total", { verb: "topics", status: "401" })).toBe(1);
    expect(await value("records_total", { direction: "in" })).toBe(3);
    expect(await value("records_total", { direction: "out" })).toBe(2);
    expect(await value("bytes_total", { direction: "in" })).toBeGreaterThan(JSON.stringify(records).length);
    expect(await value("bytes_total", { direction: "out" })).toBeGreaterThan(answer.length);
    const seconds = (await families()).get("gavel_bridge_request_duration_seconds");
    expect(seconds?.type).toBe("histogram");
    expect(seconds?.samples).toContainEqual({
      name: "gavel_bridge_request_duration_seconds_count",
      labels: { verb: "produce" },
      value: 2,
    });
    // The one that asks is in flight itself; of those before the server may learn a moment later.
    await expect.poll(() => value("requests_in_flight")).toBe(1);
    await expect.poll(() => value("bytes_in_flight")).toBe(0);
    expect(await value("resident_memory_bytes")).toBeGreaterThan(1_000_000);
    const response = await get("/metrics");
    expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  });

  test("metrics tell the log's problems, and brokers' errors by Kafka's name", async () => {
    await start();
    expect(await value("log_problems")).toBe(0);
    log.ailments = ["One.", "Two."];
    telemetry.brokerError("NOT_ENOUGH_REPLICAS");
    telemetry.brokerError("NOT_ENOUGH_REPLICAS");
    expect(await value("log_problems")).toBe(2);
    expect(await value("broker_errors_total", { error: "NOT_ENOUGH_REPLICAS" })).toBe(2);
  });

  test("metrics need credentials unless they are open, which opens nothing else", async () => {
    await start();
    expect((await get("/metrics", {})).status).toBe(401);
    await bridge.stop();
    log = new AilingLog({ file: join(directory.path, "log.sqlite"), topics: { bids: 1 } });
    telemetry = new Telemetry(() => undefined);
    await start({ metricsOpen: true });
    expect((await get("/metrics", {})).status).toBe(200);
    for (const path of ["/topics", "/metrics?", "/metrics/", "/metrics/x"]) {
      expect((await get(path, {})).status).toBe(401);
    }
    expect((await fetch(`${bridge.url}/metrics`, { method: "POST", body: "{}" })).status).toBe(401);
  });

  test("a path that a client makes up is no new series", async () => {
    await start();
    for (const path of ["/a", "/b", "/produce-x", "/__proto__", "/constructor"]) await get(path);
    const verbs = (await families())
      .get("gavel_bridge_requests_total")
      ?.samples.map(({ labels }) => labels["verb"]);
    expect(new Set(verbs)).toEqual(new Set(["other"]));
  });

  test("a problem of the log is logged when it comes and when it is gone", async () => {
    log.ailments = ["Old."];
    await start();
    log.ailments = ["New."];
    const told = () => lines.filter(({ event }) => String(event).startsWith("log-problem"));
    await expect.poll(told, { timeout: 5_000 }).toEqual([
      { level: "warn", event: "log-problem", problem: "Old." },
      { level: "warn", event: "log-problem", problem: "New." },
      { level: "info", event: "log-problem-gone", problem: "Old." },
    ]);
  });

  test("refused credentials are logged, a few of many, without what was sent", async () => {
    await start();
    for (let attempt = 0; attempt < 15; attempt++) await send("/produce", {}, `guess-${attempt}`);
    const refused = lines.filter(({ event }) => event === "credentials-refused");
    expect(refused).toEqual(
      Array.from({ length: 10 }, () => ({ level: "warn", event: "credentials-refused", verb: "produce" })),
    );
  });
});

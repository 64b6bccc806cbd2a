import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { EventLog } from "../../bridge/log.ts";
import { startBridge } from "../../bridge/server.ts";
import { SqliteLog } from "../../bridge/sqlite/sqlite-log.ts";
import { Harness, type MakeLog } from "./contract/harness.ts";
import { makeDirectory } from "./sqlite-support.ts";
import { Telemetry } from "../../bridge/telemetry/telemetry.ts";

describe("a log that fails", () => {
  test("is 503 with Retry-After while it cannot be written, and reads go on", async () => {
    const fullLog: MakeLog = async (topics) => {
      const { path, remove } = await makeDirectory();
      return { log: new SqliteLog({ file: join(path, "log.sqlite"), topics, maxBytes: 300_000 }), remove };
    };
    const harness = await Harness.start(fullLog, { bids: 1 });
    await harness.produce([{ topic: "bids", partition: 0, value: "in" }]);
    const large = { topic: "bids", partition: 0, value: "x".repeat(500_000) };
    const answer = await harness.send("/produce", large);
    expect(answer).toMatchObject({
      status: 503,
      body: { error: "the log could not be written", status: 503, effect: "unknown" },
    });
    expect(answer.headers.get("retry-after")).toBe("1");
    expect(await harness.fetch("bids", 0, 0)).toMatchObject([{ value: "in" }]);
    expect(await harness.produce([{ topic: "bids", partition: 0, value: "again" }])).toMatchObject([
      { offset: 1 },
    ]);
    await harness.stop();
  });

  test("with a defect is 500 without details, and the operator hears of it", async () => {
    const defect = new TypeError("a detail");
    const fail = () => Promise.reject(defect);
    const groups = { consume: fail, commit: fail, committed: fail, list: fail, remove: fail, close: fail };
    const nothing = { groups, problems: () => [], close: async () => {} };
    const log: EventLog = { append: fail, read: fail, offsets: fail, topics: fail, ...nothing };
    const heard: unknown[] = [];
    const telemetry = new Telemetry((level, event, fields) => heard.push({ level, event, ...fields }));
    const bridge = await startBridge({ username: "u", password: "p", log, port: 0, telemetry });
    const authorization = `Basic ${Buffer.from("u:p").toString("base64")}`;
    const response = await fetch(`${bridge.url}/topics`, { headers: { authorization } });
    expect(response.status).toBe(500);
    expect(await response.json()).toEqual({ error: "internal error", status: 500, effect: "unknown" });
    const frames = expect.arrayContaining([expect.stringContaining("failures.test.ts")]) as string[];
    expect(heard).toEqual([{ level: "error", event: "defect", error: "TypeError: a detail", frames }]);
    await bridge.stop();
  });
});

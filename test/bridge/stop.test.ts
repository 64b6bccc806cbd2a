import { connect } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startBridge } from "../../bridge/server.ts";
import { SqliteLog } from "../../bridge/sqlite/sqlite-log.ts";
import { Telemetry } from "../../bridge/telemetry/telemetry.ts";
import { authorization, ended, startChild } from "./child.ts";
import { SlowLog } from "./slow-log.ts";
import { makeDirectory } from "./sqlite-support.ts";

const credentials = { username: "tester", password: "only-for-tests" };
const topics = { bids: 1 };

describe("a bridge that stops", () => {
  let directory: Awaited<ReturnType<typeof makeDirectory>>;
  let file: string;
  let events: unknown[];
  let telemetry: Telemetry;
  beforeEach(async () => {
    directory = await makeDirectory();
    file = join(directory.path, "log.sqlite");
    events = [];
    telemetry = new Telemetry((_level, event, fields) => events.push({ event, ...fields }));
  });
  afterEach(() => directory.remove());

  const produce = (url: string, value: string) =>
    fetch(`${url}/produce`, {
      method: "POST",
      headers: { authorization },
      body: JSON.stringify({ topic: "bids", partition: 0, value }),
    });
  const stored = async () => {
    const log = new SqliteLog({ file, topics });
    const [end] = await log.offsets("latest", [{ topic: "bids", partition: 0 }]);
    await log.close();
    return end?.offset;
  };

  test("finishes a produce that waits for a slow broker, and its client hears of it", async () => {
    const log = new SlowLog({ file, topics });
    const bridge = await startBridge({ log, port: 0, ...credentials, telemetry });
    const waiting = produce(bridge.url, "slow");
    await expect.poll(() => log.waiting).toBe(1);
    const stopped = bridge.stop();
    await expect(produce(bridge.url, "late")).rejects.toThrow();
    log.letGo();
    const response = await waiting;
    expect([response.status, response.headers.get("connection")]).toEqual([200, "close"]);
    await stopped;
    expect(await stored()).toBe(1);
    expect(events).toEqual([{ event: "stopping", inFlight: 1 }, { event: "stopped" }]);
  });

  test("waits a bounded time for a broker that does not answer, then cuts its clients off", async () => {
    const log = new SlowLog({ file, topics });
    const bridge = await startBridge({ log, port: 0, ...credentials, telemetry, stopTimeoutMs: 200 });
    const waiting = produce(bridge.url, "never").then(
      () => "answered",
      () => "cut off",
    );
    await expect.poll(() => log.waiting).toBe(1);
    await bridge.stop();
    expect(await waiting).toBe("cut off");
    expect(events).toContainEqual({ event: "cut-off", inFlight: 1 });
  });

  test("is not ready while it finishes", async () => {
    const log = new SlowLog({ file, topics });
    const bridge = await startBridge({ log, port: 0, ...credentials, telemetry });
    const waiting = produce(bridge.url, "slow");
    await expect.poll(() => log.waiting).toBe(1);
    // A connection from before, in use, on which another request comes.
    const socket = connect(bridge.port, "127.0.0.1");
    socket.write(`GET /readyz HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\nx: `);
    // Answered behind it, so the server has read the half head.
    await fetch(`${bridge.url}/healthz`);
    const stopped = bridge.stop();
    socket.write("y\r\n\r\n");
    let answer = "";
    for await (const chunk of socket) answer += String(chunk);
    expect(answer).toMatch(/^HTTP\/1\.1 503 [^]*"reasons":\["The bridge is stopping\."\]/);
    log.letGo();
    await waiting;
    await stopped;
  });

  test("a second signal ends the process at once", async () => {
    const bridge = await startChild(["--file", file, "--topics", "bids"]);
    const socket = connect(Number(new URL(bridge.url).port), "127.0.0.1");
    socket.on("error", () => undefined);
    // Half a request keeps the first stop waiting.
    socket.write(
      `POST /produce HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\ncontent-length: 9\r\n\r\n{`,
    );
    await fetch(`${bridge.url}/healthz`);
    const gone = ended(bridge.process);
    bridge.process.kill("SIGTERM");
    await expect.poll(() => refuses(bridge.url), { timeout: 10_000 }).toBe(true);
    expect(bridge.process.exitCode).toBeNull();
    bridge.process.kill("SIGINT");
    expect(await gone).toMatchObject({ code: 130 });
    socket.destroy();
  });
});

async function refuses(url: string): Promise<boolean> {
  return fetch(`${url}/healthz`).then(
    () => false,
    () => true,
  );
}

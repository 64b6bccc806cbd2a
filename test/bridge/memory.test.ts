import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Limits } from "../../bridge/limits.ts";
import { type Bridge, startBridge } from "../../bridge/server.ts";
import { Telemetry } from "../../bridge/telemetry/telemetry.ts";
import { parseExposition } from "./exposition.ts";
import { SlowLog } from "./slow-log.ts";
import { makeDirectory } from "./sqlite-support.ts";

const authorization = `Basic ${Buffer.from("u:p").toString("base64")}`;

describe("bounded memory", () => {
  let directory: Awaited<ReturnType<typeof makeDirectory>>;
  let log: SlowLog;
  let bridge: Bridge;
  let telemetry: Telemetry;

  beforeEach(async () => {
    directory = await makeDirectory();
    log = new SlowLog({ file: join(directory.path, "log.sqlite"), topics: { bids: 1 } });
    telemetry = new Telemetry(() => undefined);
  });
  afterEach(async () => {
    log.letGo();
    await bridge.stop();
    await directory.remove();
  });

  const start = async (limits: Partial<Limits>) => {
    bridge = await startBridge({ log, port: 0, username: "u", password: "p", telemetry, limits });
  };
  const post = async (path: string, body: unknown) => {
    const response = await fetch(bridge.url + path, {
      method: "POST",
      headers: { authorization },
      body: JSON.stringify(body),
    });
    return { status: response.status, headers: response.headers, body: await response.json() };
  };
  const record = (bytes: number) => ({ topic: "bids", partition: 0, value: "x".repeat(bytes) });
  const everything = { topic: "bids", partition: 0, offset: 0, timeout: 0 };
  const level = async (name: string) => {
    const families = parseExposition(await telemetry.metrics.text());
    return families.get(`gavel_bridge_${name}`)?.samples[0]?.value;
  };
  /** A client that asks for everything and reads nothing of the answer. */
  const askAndNotRead = async (): Promise<Socket> => {
    const body = JSON.stringify(everything);
    const socket = connect(bridge.port, "127.0.0.1").pause();
    socket.on("error", () => undefined);
    await once(socket, "connect");
    socket.write(
      `POST /fetch HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    return socket;
  };

  test("under a slow broker, what is beyond the bound is 503 at once with no effect, and the rest is written", async () => {
    await start({ maxPendingBytes: 100_000 });
    const accepted = [post("/produce", record(40_000)), post("/produce", record(40_000))];
    await expect.poll(() => log.waiting).toBe(2);
    const refused = await post("/produce", record(40_000));
    expect(refused).toMatchObject({
      status: 503,
      body: { error: "too much is in work; nothing was done", status: 503, effect: "none" },
    });
    expect(refused.headers.get("retry-after")).toBe("1");
    // Not one of them has been answered yet: the refusal did not wait for the broker.
    expect(log.waiting).toBe(2);
    expect(await level("bytes_in_flight")).toBeGreaterThan(80_000);
    log.letGo();
    expect((await Promise.all(accepted)).map(({ status }) => status)).toEqual([200, 200]);
    expect(await post("/produce", record(40_000))).toMatchObject({ status: 200, body: [{ offset: 2 }] });
    await expect.poll(() => level("bytes_in_flight")).toBe(0);
  });

  test("an answer that its client does not take counts, until the client goes", async () => {
    log.letGo();
    await start({ maxPendingBytes: 12_000_000, maxAnswerBytes: 8_000_000, maxRecordBytes: 8_000_000 });
    await post("/produce", record(7_900_000));
    const slow = await askAndNotRead();
    await expect.poll(() => level("bytes_in_flight"), { timeout: 5_000 }).toBeGreaterThan(7_000_000);
    expect(await post("/fetch", everything)).toMatchObject({
      status: 503,
      body: { error: "too much is in work; nothing was done", effect: "none" },
    });
    // A small request still has room.
    expect(await post("/produce", record(10))).toMatchObject({ status: 200 });
    slow.destroy();
    await expect.poll(() => level("bytes_in_flight"), { timeout: 5_000 }).toBe(0);
    expect((await post("/fetch", everything)).status).toBe(200);
  });

  test("a client that does not take its answer in time is cut off", async () => {
    log.letGo();
    await start({ maxTakeMs: 200, maxAnswerBytes: 8_000_000, maxRecordBytes: 8_000_000 });
    await post("/produce", record(7_900_000));
    const slow = await askAndNotRead();
    await expect.poll(() => level("bytes_in_flight"), { timeout: 5_000 }).toBeGreaterThan(7_000_000);
    await expect.poll(() => level("bytes_in_flight"), { timeout: 10_000 }).toBe(0);
    let taken = 0;
    slow.on("data", (chunk: Buffer) => (taken += chunk.length)).resume();
    await once(slow, "close");
    expect(taken).toBeLessThan(7_900_000);
  });

  test("connections beyond the bound are closed, and there is room again when one goes", async () => {
    await start({ maxConnections: 2 });
    const open = async () => {
      const socket = connect(bridge.port, "127.0.0.1");
      socket.on("error", () => undefined);
      await once(socket, "connect");
      socket.write("GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n");
      const first = await Promise.race([once(socket, "data"), once(socket, "close").then(() => null)]);
      return { socket, answered: first !== null };
    };
    const [one, two, three] = [await open(), await open(), await open()];
    expect([one, two, three].map(({ answered }) => answered)).toEqual([true, true, false]);
    one.socket.destroy();
    await expect.poll(async () => (await open()).answered, { timeout: 5_000 }).toBe(true);
    two.socket.destroy();
  });
});

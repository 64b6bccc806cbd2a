import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import { startBridge } from "../../../bridge/server.ts";
import { Harness, type MakeLog } from "./harness.ts";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

export function describeStop(makeLog: MakeLog): void {
  describe("stop", () => {
    test("finishes a request that is still being sent, and accepts no new connection", async () => {
      const harness = await Harness.start(makeLog, { bids: 1 });
      const body = JSON.stringify({ topic: "bids", value: "v" });
      const socket = connect(harness.bridge.port, "127.0.0.1");
      socket.write(
        `POST /produce HTTP/1.1\r\nhost: x\r\nauthorization: ${harness.authorization}\r\n` +
          `content-length: ${body.length}\r\n\r\n${body.slice(0, 9)}`,
      );
      await pause(50);
      const stopped = harness.stop();
      await pause(50);
      await expect(fetch(`${harness.bridge.url}/healthz`)).rejects.toThrow();
      socket.write(body.slice(9));
      let answer = "";
      for await (const chunk of socket) answer += String(chunk);
      expect(answer).toMatch(/^HTTP\/1\.1 200 [^]*connection: close[^]*"offset":0/i);
      await stopped;
    });

    test("ends a waiting fetch at once, with an empty answer", async () => {
      const harness = await Harness.start(makeLog, { bids: 1 });
      const waiting = harness.send("/fetch", { topic: "bids", partition: 0, offset: 0, timeout: 20_000 });
      await pause(50);
      const started = performance.now();
      await harness.stop();
      expect(await waiting).toMatchObject({ status: 200, body: [] });
      expect(performance.now() - started).toBeLessThan(2_000);
    });

    test("a port in use is a plain sentence, and the log is let go of", async () => {
      const harness = await Harness.start(makeLog, { bids: 1 });
      const { log, remove } = await makeLog({ bids: 1 });
      const { port } = harness.bridge;
      await expect(startBridge({ log, port, username: "u", password: "p" })).rejects.toThrow(
        `Port ${port} on 127.0.0.1 is in use.`,
      );
      await harness.stop();
      await remove();
    });
  });
}

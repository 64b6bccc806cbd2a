import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Harness, type MakeLog, type Sent } from "./harness.ts";

const message = { topic: "bids", value: "v" };
const position = { topic: "bids", partition: 0, offset: 0, timeout: 0 };
const nested = (depth: number) => `${"[".repeat(depth)}${"]".repeat(depth)}`;

/** What is no request of the protocol: path, body, status. */
const malformed: readonly (readonly [name: string, path: string, body: unknown])[] = [
  ["an empty body", "/produce", ""],
  ["white space", "/produce", " \n"],
  ["half an object", "/produce", '{"topic":"bids","value":"v"'],
  ["two values", "/produce", '{"topic":"bids","value":"v"}{}'],
  ["a trailing comma", "/produce", '[{"topic":"bids","value":"v"},]'],
  ["a raw newline in a string", "/produce", '{"topic":"bids","value":"a\nb"}'],
  ["an unknown escape", "/produce", String.raw`{"topic":"bids","value":"\x41"}`],
  ["half a unicode escape", "/produce", String.raw`{"topic":"bids","value":"\u12"}`],
  ["bytes that are not UTF-8", "/produce", Buffer.from('{"topic":"bids","value":"\u00e9"}', "latin1")],
  ["a byte order mark", "/produce", '\uFEFF{"topic":"bids","value":"v"}'],
  ["100,000 arrays", "/produce", nested(100_000)],
  ["an unknown field of 100,000 arrays", "/produce", `{"topic":"bids","value":"v","x":${nested(100_000)}}`],
  ["100,000 arrays to fetch", "/fetch", nested(100_000)],
  ["a number", "/produce", "1"],
  ["a string", "/produce", '"v"'],
  ["null", "/produce", "null"],
  ["an array of numbers", "/produce", [1]],
  ["an array in an array", "/produce", [[message]]],
  ["no topic", "/produce", { value: "v" }],
  ["a topic that is a number", "/produce", { topic: 1, value: "v" }],
  ["no value", "/produce", { topic: "bids" }],
  ["a value of null", "/produce", { topic: "bids", value: null }],
  ["a value that is an object", "/produce", { topic: "bids", value: {} }],
  ["a value only in the prototype", "/produce", '{"topic":"bids","__proto__":{"value":"v"}}'],
  ["a key that is a number", "/produce", { ...message, key: 1 }],
  ["a partition with a fraction", "/produce", { ...message, partition: 0.5 }],
  ["a partition that is text", "/produce", { ...message, partition: "0" }],
  ["a partition beyond integers", "/produce", '{"topic":"bids","value":"v","partition":1e300}'],
  ["a partition with a leading zero", "/produce", '{"topic":"bids","value":"v","partition":00}'],
  ["a negative timestamp", "/produce", { ...message, timestamp: -1 }],
  ["a timestamp with a fraction", "/produce", { ...message, timestamp: 1.5 }],
  ["a timestamp that is text", "/produce", { ...message, timestamp: "2026-01-01" }],
  ["headers that are an object", "/produce", { ...message, headers: { a: "b" } }],
  ["a header without a value", "/produce", { ...message, headers: [{ key: "a" }] }],
  ["a header of null", "/produce", { ...message, headers: [null] }],
  ["a header whose value is a number", "/produce", { ...message, headers: [{ key: "a", value: 1 }] }],
  ["one bad record among good ones", "/produce", [message, { topic: "bids", value: 1 }]],
  ["a path that is not percent-encoded", "/produce/%E0%A4%A/x", undefined],
  ["fetch without a body", "/fetch", undefined],
  ["fetch of an array", "/fetch", [position]],
  ["fetch of nothing", "/fetch", {}],
  ["fetch without an offset", "/fetch", { topic: "bids", partition: 0 }],
  ["a negative offset", "/fetch", { ...position, offset: -1 }],
  ["an offset with a fraction", "/fetch", { ...position, offset: 0.5 }],
  ["an offset beyond integers", "/fetch", { ...position, offset: 2 ** 53 }],
  ["a negative timeout", "/fetch", { ...position, timeout: -1 }],
  ["a timeout that is text", "/fetch", { ...position, timeout: "1" }],
  ["positions that are an object", "/fetch", { topicPartitionOffsets: {} }],
  ["a position that is a number", "/fetch", { topicPartitionOffsets: [1] }],
  ["offsets of a number", "/offsets/latest", "1"],
  ["offsets without a partition", "/offsets/latest", { topic: "bids" }],
  ["offsets at a negative time", "/offsets/-1", { topic: "bids", partition: 0 }],
  ["offsets at some word", "/offsets/newest", { topic: "bids", partition: 0 }],
  ["offsets at a fraction", "/offsets/1.5", { topic: "bids", partition: 0 }],
  ["offsets far beyond integers", "/offsets/99999999999999999999", { topic: "bids", partition: 0 }],
];

export function describeRequests(makeLog: MakeLog): void {
  describe("requests that are refused", () => {
    let harness: Harness;
    beforeAll(async () => {
      harness = await Harness.start(makeLog, { bids: 2 }, { maxBodyBytes: 300_000, maxBatch: 5 });
    });
    afterAll(() => harness.stop());

    const refused = async (status: number, path: string, body?: unknown, sent?: Sent) => {
      const answer = await harness.send(path, body, sent);
      expect(answer.body).toEqual({ error: expect.any(String) as string, status });
      expect(answer.status).toBe(status);
      return answer;
    };

    test.each(malformed)("400 for %s", async (_name, path, body) => {
      await refused(400, path, body);
      expect(await harness.fetch("bids", 0, 0)).toEqual([]);
    });

    test("401 without credentials or with wrong ones, on every path, and no hint which part is wrong", async () => {
      const basic = (text: string) => `Basic ${Buffer.from(text).toString("base64")}`;
      const wrong = [
        null,
        "",
        "Basic",
        "Basic !!!",
        "Bearer x",
        basic("tester:"),
        basic("tester:x"),
        basic("tester"),
        harness.authorization.slice(0, -3),
      ];
      for (const authorization of wrong) {
        for (const path of ["/topics", "/produce", "/nowhere"]) {
          const { headers } = await refused(401, path, undefined, { authorization });
          expect(headers.get("www-authenticate")).toMatch(/^Basic /);
        }
      }
    });

    test("only the health check needs no credentials", async () => {
      expect(await harness.send("/healthz", undefined, { authorization: null })).toMatchObject({
        status: 200,
      });
    });

    test("404 for what does not exist: path, topic, partition", async () => {
      for (const path of [
        "/",
        "/nowhere",
        "/topics/x",
        "/fetch/x",
        "/offsets",
        "/produce/a/b/c",
        "//topics",
        "/consume/g",
        "/consume/g/i/bids/x",
        "/commit/g",
        "/consumers/x",
        "/webhook/x",
      ]) {
        await refused(404, path);
      }
      await refused(404, "/fetch", { ...position, partition: 2 });
      await refused(404, "/fetch", { ...position, partition: -1 });
      await refused(404, "/fetch", { ...position, topicPartitionOffsets: [{ ...position, topic: "x" }] });
      await refused(404, "/offsets/latest", [position, { topic: "bids", partition: 2 }]);
    });

    test("405 with Allow for another method", async () => {
      for (const [method, path, allow] of [
        ["POST", "/topics", "GET"],
        ["DELETE", "/produce", "GET, POST"],
        ["PUT", "/fetch", "GET, POST"],
        ["POST", "/produce/bids/v", "GET"],
        ["DELETE", "/offsets/latest", "GET, POST"],
      ] as const) {
        const { headers } = await refused(405, path, undefined, { method });
        expect(headers.get("allow")).toBe(allow);
      }
    });

    test("413 for a body, a batch and a fetch that are too large, and nothing of it is written", async () => {
      await refused(413, "/produce", { topic: "bids", value: "x".repeat(300_000) });
      await refused(
        413,
        "/produce",
        Array.from({ length: 6 }, () => message),
      );
      await refused(413, "/fetch", { topicPartitionOffsets: Array.from({ length: 6 }, () => position) });
      await refused(
        413,
        "/offsets/latest",
        Array.from({ length: 6 }, () => position),
      );
      expect(await harness.fetch("bids", 0, 0)).toEqual([]);
    });

    test("a refusal reaches a client that sends on, and its connection stays good", async () => {
      const socket = connect(harness.bridge.port, "127.0.0.1");
      const head = (method: string, path: string, more = "") =>
        `${method} ${path} HTTP/1.1\r\nhost: x\r\nauthorization: ${harness.authorization}\r\n${more}\r\n`;
      const body = "x".repeat(5_000_000);
      socket.write(head("POST", "/produce", `content-length: ${body.length}\r\n`) + body);
      const chunked = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
      socket.write(head("POST", "/produce", "transfer-encoding: chunked\r\n") + chunked);
      socket.end(head("GET", "/topics", "connection: close\r\n"));
      let answers = "";
      for await (const chunk of socket) answers += String(chunk);
      expect(answers.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 413", "HTTP/1.1 413", "HTTP/1.1 200"]);
      expect(answers).toMatch(/\{"bids":2\}$/);
    });

    test("415 for a compressed body", async () => {
      const body = gzipSync(JSON.stringify(message));
      await refused(415, "/produce", body, { headers: { "content-encoding": "gzip" } });
    });

    test("what is not HTTP gets an answer in the same form", async () => {
      const answers = async (text: string) => {
        const socket = connect(harness.bridge.port, "127.0.0.1");
        socket.write(text);
        let answer = "";
        for await (const chunk of socket) answer += String(chunk);
        return answer;
      };
      expect(await answers("BOO\r\n\r\n")).toMatch(/^HTTP\/1\.1 400 [^]*\{"error":"[^"]+","status":400\}$/);
      const long = `GET / HTTP/1.1\r\nhost: x\r\nx: ${"x".repeat(20_000)}\r\n\r\n`;
      expect(await answers(long)).toMatch(/^HTTP\/1\.1 431 [^]*"status":431\}$/);
    });

    test("a client that asks first is told before it sends the body", async () => {
      const head = (length: number) =>
        `POST /produce HTTP/1.1\r\nhost: x\r\nauthorization: ${harness.authorization}\r\n` +
        `expect: 100-continue\r\ncontent-length: ${length}\r\n\r\n`;
      const first = async (text: string) => {
        const socket = connect(harness.bridge.port, "127.0.0.1");
        socket.write(text);
        const answer = await new Promise<string>((resolve) =>
          socket.once("data", (data) => resolve(String(data))),
        );
        socket.destroy();
        return answer.split("\r\n")[0];
      };
      expect(await first(head(100))).toBe("HTTP/1.1 100 Continue");
      expect(await first(head(300_001))).toMatch(/^HTTP\/1\.1 413 /);
    });
  });

  describe("an overloaded bridge", () => {
    test("answers 503 with Retry-After, says that nothing was written, and recovers", async () => {
      const harness = await Harness.start(makeLog, { bids: 1 }, { maxPendingBytes: 2_000 });
      const body = { topic: "bids", value: "x".repeat(3_000) };
      const answer = await harness.send("/produce", body);
      expect(answer).toMatchObject({ status: 503, body: { status: 503, effect: "none" } });
      expect(answer.headers.get("retry-after")).toBe("1");
      expect(await harness.produce([{ topic: "bids", value: "x" }])).toMatchObject([{ offset: 0 }]);
      await harness.stop();
    });
  });
}

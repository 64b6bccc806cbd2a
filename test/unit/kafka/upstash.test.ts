import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { LogError, type ProduceRecord } from "../../../src/kafka/port.ts";
import { createUpstashLog } from "../../../src/kafka/upstash.ts";

/** A server of real HTTP that answers as told and keeps what it was asked. */
interface Asked {
  readonly line: string;
  readonly authorization: string | undefined;
  readonly body: unknown;
}

let server: Server;
let url: string;
let asked: Asked[];
let answer: (response: ServerResponse) => void;

beforeEach(async () => {
  asked = [];
  server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const text = Buffer.concat(chunks).toString();
      const { authorization } = request.headers;
      asked.push({
        line: `${request.method} ${request.url}`,
        authorization,
        body: text === "" ? null : JSON.parse(text),
      });
      answer(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const json =
  (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
  (response: ServerResponse) => {
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
  };
const log = () => createUpstashLog({ url: `${url}/`, username: "gavel", password: "päss" });
const soon = () => Date.now() + 2_000;

const record: ProduceRecord = {
  topic: "auction.bids",
  partition: 3,
  key: "lamp-1",
  value: '{"amount":5}',
  timestamp: 1_000,
  headers: [{ key: "ce_id", value: "1" }],
};

async function failureOf(act: Promise<unknown>): Promise<LogError> {
  try {
    await act;
  } catch (error) {
    if (error instanceof LogError) return error;
    throw error;
  }
  throw new Error("The call did not fail");
}

describe("a call of the log is one request", () => {
  test("produce posts all records at once and answers one result each, in order", async () => {
    answer = json(200, [
      { topic: "auction.bids", partition: 3, offset: 7, timestamp: 1_000 },
      { error: "partition full", status: 503 },
      { error: "too large", status: 413 },
    ]);
    const results = await log().produce([record, record, record], soon());
    expect(asked).toEqual([
      {
        line: "POST /produce",
        authorization: `Basic ${Buffer.from("gavel:päss").toString("base64")}`,
        body: [record, record, record],
      },
    ]);
    expect(results).toMatchObject([
      { ok: true, offset: 7, timestamp: 1_000 },
      { ok: false, error: { code: "unavailable", effect: "unknown" } },
      { ok: false, error: { code: "too-large", effect: "none" } },
    ]);
    expect(await log().produce([], soon())).toEqual([]);
    expect(asked).toHaveLength(1);
  });

  test("fetch asks for one offset without waiting", async () => {
    const message = { ...record, offset: 9 };
    answer = json(200, [message]);
    expect(await log().fetch({ topic: "auction.bids", partition: 3, offset: 9 }, soon())).toEqual({
      records: [message],
    });
    expect(asked).toMatchObject([
      { line: "POST /fetch", body: { topic: "auction.bids", partition: 3, offset: 9, timeout: 0 } },
    ]);
  });

  test("offsets and topics", async () => {
    const partitions = [{ topic: "auction.bids", partition: 3 }];
    answer = json(200, [{ topic: "auction.bids", partition: 3, offset: 9 }]);
    expect(await log().offsets("latest", partitions, soon())).toEqual([{ ...partitions[0], offset: 9 }]);
    answer = json(200, { "auction.bids": 8 });
    expect(await log().topics(soon())).toEqual({ "auction.bids": 8 });
    expect(asked.map(({ line, body }) => [line, body])).toEqual([
      ["POST /offsets/latest", partitions],
      ["GET /topics", null],
    ]);
  });
});

describe("what the bridge tells in headers, which the client drops, is told", () => {
  const from = { topic: "auction.bids", partition: 3, offset: 9 };
  const ids = { "gavel-topic-ids": "auction.bids=Zm9vYmFyYmF6cXV4MTIzNA,auction.items=b3RoZXI" };

  test("fetch: where to read on, where the log starts and which topic it is", async () => {
    answer = json(200, [], { ...ids, "gavel-positions": "auction.bids/3;next=12;start=10;end=40" });
    expect(await log().fetch(from, soon())).toEqual({
      records: [],
      next: 12,
      start: 10,
      topicId: "Zm9vYmFyYmF6cXV4MTIzNA",
    });
  });

  test("offsets and produce: which topic each entry is about", async () => {
    const places = [
      { topic: "auction.bids", partition: 3 },
      { topic: "auction.items", partition: 3 },
      { topic: "auction.completed", partition: 3 },
    ];
    answer = json(
      200,
      places.map((place) => ({ ...place, offset: 7, timestamp: 1 })),
      ids,
    );
    const topicIds = ["Zm9vYmFyYmF6cXV4MTIzNA", "b3RoZXI", undefined];
    const offsets = await log().offsets("latest", places, soon());
    expect(offsets.map(({ topicId }) => topicId)).toEqual(topicIds);
    const results = await log().produce(
      places.map((place) => ({ ...record, ...place })),
      soon(),
    );
    expect(results.map((result) => (result.ok ? result.topicId : "failed"))).toEqual(topicIds);
  });

  test.each([
    "",
    "auction.bids/3",
    "auction.bids/3;next=-1;start=0;end=1",
    "auction.items/3;next=1;start=0;end=1",
    "auction.bids/4;next=1;start=0;end=1",
  ])("a header that does not tell of the partition counts as none: %s", async (positions) => {
    answer = json(200, [], { "gavel-positions": positions, "gavel-topic-ids": "=,nothing,=x,y=" });
    expect(await log().fetch(from, soon())).toEqual({ records: [] });
  });

  test("a record without a time, as another producer may write it, is read", async () => {
    const untimed = { ...record, offset: 9, timestamp: -1 };
    answer = json(200, [untimed]);
    expect(await log().fetch(from, soon())).toEqual({ records: [untimed] });
  });
});

describe("a failed call is told once, with what it may have done", () => {
  test("a server that knows that nothing was written is believed, for all and for one record", async () => {
    answer = json(503, { error: "no leader", status: 503, effect: "none" });
    expect(await failureOf(log().produce([record], soon()))).toMatchObject({ effect: "none" });
    answer = json(200, [
      { topic: "auction.bids", partition: 3, offset: 7, timestamp: 1_000 },
      { error: "no leader", status: 503, effect: "none" },
      { error: "too late", status: 504, effect: "unknown" },
    ]);
    expect(await log().produce([record, record, record], soon())).toMatchObject([
      { ok: true },
      { ok: false, error: { code: "unavailable", effect: "none" } },
      { ok: false, error: { code: "timeout", effect: "unknown" } },
    ]);
  });

  test.each([
    [400, "rejected", "none"],
    [401, "unauthorized", "none"],
    [403, "unauthorized", "none"],
    [404, "unknown-topic", "none"],
    [408, "timeout", "unknown"],
    [413, "too-large", "none"],
    [429, "unavailable", "none"],
    [500, "unavailable", "unknown"],
    [503, "unavailable", "unknown"],
    [504, "timeout", "unknown"],
    [302, "rejected", "unknown"],
  ])("status %d is %s with effect %s", async (status, code, effect) => {
    answer = json(status, { error: "why", status });
    expect(await failureOf(log().produce([record], soon()))).toMatchObject({ code, effect });
    expect(asked).toHaveLength(1);
    expect(await failureOf(log().topics(soon()))).toMatchObject({ code, effect: "none" });
  });

  test("an answer that is no JSON, or not what was asked for", async () => {
    for (const body of ["<html>", "[]", "[{}]", '[{"offset":-1,"timestamp":1}]', '{"error":"x"}']) {
      answer = (response) => response.writeHead(200).end(body);
      expect(await failureOf(log().produce([record], soon()))).toMatchObject({
        code: "unavailable",
        effect: "unknown",
      });
    }
    answer = json(200, [{ ...record, partition: 4, offset: 1 }]);
    const other = failureOf(log().fetch({ topic: "auction.bids", partition: 3, offset: 1 }, soon()));
    expect(await other).toMatchObject({ code: "unavailable", effect: "none" });
  });

  test("a log that does not answer by the deadline", async () => {
    answer = () => {};
    const before = Date.now();
    expect(await failureOf(log().produce([record], before + 100))).toMatchObject({
      code: "timeout",
      effect: "unknown",
    });
    expect(Date.now() - before).toBeLessThan(1_500);
    expect(asked).toHaveLength(1);
  });

  test("a deadline that has passed sends nothing", async () => {
    answer = json(200, []);
    const failure = await failureOf(log().produce([record], Date.now()));
    expect(failure).toMatchObject({ code: "timeout", effect: "none" });
    expect(asked).toHaveLength(0);
  });

  test("a connection that breaks before the answer may have had an effect, one to nobody as well", async () => {
    answer = (response) => response.socket?.destroy();
    expect(await failureOf(log().produce([record], soon()))).toMatchObject({
      code: "unavailable",
      effect: "unknown",
    });
    await new Promise((resolve) => server.close(resolve));
    expect(await failureOf(log().produce([record], soon()))).toMatchObject({
      code: "unavailable",
      effect: "unknown",
    });
  });
});

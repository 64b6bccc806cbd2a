import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { grantedRights } from "../../../bridge/http/rights.ts";
import { User } from "../../../bridge/http/auth.ts";
import { type Bridge, startBridge } from "../../../bridge/server.ts";
import { Harness, type MakeLog } from "./harness.ts";
import { type Group, newGroup, until } from "./test-instance.ts";

const partition = { topic: "bids", partition: 0 };
const topic = { topic: "bids", timeout: 0 };

/** What is no request about a group: path, body, headers. */
const malformed: readonly (readonly [
  name: string,
  path: string,
  body: unknown,
  headers?: Record<string, string>,
])[] = [
  ["consume without a topic", "/consume/g/a", {}],
  ["consume of no topics", "/consume/g/a", { topics: [] }],
  ["topics that are text", "/consume/g/a", { topics: "bids" }],
  ["a topic that is a number", "/consume/g/a", { topics: [1] }],
  ["consume without a body", "/consume/g/a", undefined],
  ["a negative timeout", "/consume/g/a", { topic: "bids", timeout: -1 }],
  ["a timeout in the path that is no number", "/consume/g/a/bids?timeout=x", undefined],
  ["an instance's name with a space", "/consume/g/a%20b", topic],
  ["an instance's name that is too long", `/consume/g/${"a".repeat(250)}`, topic],
  [
    "auto commit that is neither true nor false",
    "/consume/g/a",
    topic,
    { "kafka-enable-auto-commit": "yes" },
  ],
  ["an interval that is text", "/consume/g/a", topic, { "kafka-auto-commit-interval": "soon" }],
  ["an interval of 0", "/consume/g/a", topic, { "kafka-auto-commit-interval": "0" }],
  ["an unknown reset", "/consume/g/a", topic, { "kafka-auto-offset-reset": "newest" }],
  ["a session of a second", "/consume/g/a", topic, { "kafka-session-timeout-ms": "1000" }],
  ["a session of a day", "/consume/g/a", topic, { "kafka-session-timeout-ms": "86400000" }],
  ["commit without an offset", "/commit/g/a", partition],
  ["commit of a negative offset", "/commit/g/a", { ...partition, offset: -1 }],
  ["commit of a number", "/commit/g/a", [1]],
  ["commit of half an object", "/commit/g/a", '{"topic":'],
  ["committed of nothing", "/committed/g/a", {}],
  ["committed without a body", "/committed/g/a", undefined],
  ["a timeout of committed that is text", "/committed/g/a?timeout=soon", partition],
];

export function describeGroupRequests(makeLog: MakeLog): void {
  describe("requests about groups that are refused", () => {
    let harness: Harness;
    beforeAll(async () => {
      harness = await Harness.start(makeLog, { bids: 1 }, { maxBatch: 2 });
    });
    afterAll(() => harness.stop());

    const cases = malformed.map(([name, path, body, headers = {}]) => ({ name, path, body, headers }));
    test.each(cases)("400 for $name", async ({ path, body, headers }) => {
      const answer = await harness.send(path, body, { headers });
      expect(answer).toMatchObject({ status: 400, body: { status: 400 } });
    });

    test("404 for topics and partitions that do not exist", async () => {
      for (const [path, body] of [
        ["/consume/g/a", { topic: "nowhere", timeout: 0 }],
        ["/consume/g/a/nowhere", undefined],
        ["/commit/g/a", { topic: "bids", partition: 1, offset: 0 }],
        ["/committed/g/a", [partition, { topic: "bids", partition: 1 }]],
      ] as const) {
        expect(await harness.send(path, body)).toMatchObject({ status: 404, body: { status: 404 } });
      }
    });

    test("405 with Allow for another method", async () => {
      for (const [method, path, allow] of [
        ["POST", "/consumers", "GET"],
        ["POST", "/consume/g/a/bids", "GET"],
        ["PUT", "/consume/g/a", "GET, POST"],
        ["DELETE", "/commit/g/a", "GET, POST"],
        ["DELETE", "/committed/g/a", "GET, POST"],
        ["GET", "/delete-consumer/g/a", "POST, DELETE"],
        ["PUT", "/webhook", "GET, POST"],
      ] as const) {
        const answer = await harness.send(path, undefined, { method });
        expect(answer.status).toBe(405);
        expect(answer.headers.get("allow")).toBe(allow);
      }
    });

    test("413 for more topics or partitions than a request takes", async () => {
      const three = ["bids", "bids", "bids"];
      expect(await harness.send("/consume/g/a", { topics: three })).toMatchObject({ status: 413 });
      const positions = three.map(() => ({ ...partition, offset: 0 }));
      expect(await harness.send("/commit/g/a", positions)).toMatchObject({ status: 413 });
      expect(await harness.send("/committed/g/a", positions)).toMatchObject({ status: 413 });
    });

    test("a commit of an instance that is in no group is refused, and its end is none the less told", async () => {
      const path = `${newGroup()}/a`;
      expect(await harness.send(`/commit/${path}`, { ...partition, offset: 0 })).toMatchObject({
        status: 422,
      });
      expect(await harness.send(`/commit/${path}`)).toMatchObject({ status: 422 });
      expect(await harness.send(`/delete-consumer/${path}`, undefined, { method: "POST" })).toMatchObject({
        status: 200,
      });
    });
  });

  describe("rights over groups", () => {
    let bridge: Bridge;
    let remove: () => Promise<void>;
    beforeAll(async () => {
      const made = await makeLog({ bids: 1, items: 1 });
      ({ remove } = made);
      const user = (name: string, topics: string[]) =>
        User.withPassword(name, "password", grantedRights([{ verbs: ["consume"], topics }]));
      bridge = await startBridge({
        log: made.log,
        port: 0,
        users: [user("all", ["*"]), user("bids", ["bids"])],
      });
    });
    afterAll(async () => {
      await bridge.stop();
      await remove();
    });

    const send = async (name: string, path: string, body?: unknown, method = "POST") => {
      const authorization = `Basic ${Buffer.from(`${name}:password`).toString("base64")}`;
      const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
      const response = await fetch(bridge.url + path, { ...init, headers: { authorization } });
      return { status: response.status, body: await response.json() };
    };

    test("whoever may not consume a topic neither reads nor commits nor ends what consumes it", async () => {
      const group = newGroup();
      await until(async () => {
        await send("all", `/consume/${group}/a`, { topics: ["bids", "items"], timeout: 200 });
        await send("all", `/consume/${group}/b`, { topic: "items", timeout: 200 });
        const { body } = await send("all", "/consumers", undefined, "GET");
        // While it rebalances a group does not tell who has what.
        return (body as Group[]).some(
          ({ instances }) => instances.length === 2 && instances.some((one) => one.topics.length === 2),
        );
      });
      for (const [path, body] of [
        [`/consume/${group}/c`, { topic: "items" }],
        [`/consume/${group}/a`, { topics: ["bids", "items"] }],
        [`/commit/${group}/a`, { topic: "items", partition: 0, offset: 0 }],
        [`/commit/${group}/a`, undefined],
        [`/committed/${group}/a`, { topic: "items", partition: 0 }],
        [`/delete-consumer/${group}/b`, undefined],
      ] as const) {
        // A group that rebalances once more does not tell who has what: 503, to be asked again.
        let answer: Awaited<ReturnType<typeof send>> | undefined;
        await until(async () => {
          answer = await send("bids", path, body);
          return answer.status !== 503;
        });
        expect(answer).toMatchObject({ status: 403, body: { status: 403 } });
      }
      const { body } = await send("bids", "/consumers", undefined, "GET");
      const topics = [{ topic: "bids", partitions: [0] }];
      expect(body).toContainEqual({ name: group, instances: [{ name: "a", topics }] });
      expect(JSON.stringify(body)).not.toContain('"items"');
    });
  });
}

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Harness, type MakeLog } from "./harness.ts";
import { newGroup, TestInstance, until, values } from "./test-instance.ts";

const earliest = { "kafka-auto-offset-reset": "earliest" };
const manual = { ...earliest, "kafka-enable-auto-commit": "false" };
const success = { result: "Success", status: 200 };

export function describeGroups(makeLog: MakeLog): void {
  describe("consumer groups", () => {
    let harness: Harness;
    const topics = {
      client: 2,
      one: 1,
      more: 2,
      auto: 1,
      interval: 1,
      manual: 1,
      reset: 1,
      late: 1,
      long: 1,
    };
    beforeAll(async () => {
      harness = await Harness.start(makeLog, topics, { maxAnswerBytes: 2_000 });
    });
    afterAll(() => harness.stop());

    const instance = (topic: string, headers: Record<string, string>, group = newGroup(), name = "a") =>
      new TestInstance(harness, group, name, { topics: [topic], headers });
    const produce = (topic: string, texts: readonly string[], partition = 0) =>
      harness.produce(texts.map((value) => ({ topic, partition, value })));

    test("every call of the client works, from the first record to the end of the instance", async () => {
      const [producer, consumer, admin] = [
        harness.client.producer(),
        harness.client.consumer(),
        harness.client.admin(),
      ];
      const consumerGroupId = newGroup();
      const id = { consumerGroupId, instanceId: "instance-1" };
      const first = await producer.produce(
        "client",
        { n: 0 },
        { partition: 0, headers: [{ key: "h", value: "v" }] },
      );
      expect(first).toMatchObject({ topic: "client", partition: 0, offset: 0 });
      await producer.produceMany([{ topic: "client", value: "1", partition: 1, key: "k" }]);
      const read: unknown[] = [];
      await until(async () => {
        const options = { autoCommit: false, autoOffsetReset: "earliest", timeout: 500 } as const;
        read.push(...(await consumer.consume({ ...id, topics: ["client"], ...options })));
        return read.length >= 2;
      });
      expect(read).toHaveLength(2);
      const headers = [{ key: "h", value: "v" }];
      expect(read).toContainEqual({ ...first, key: "", value: '{"n":0}', headers });
      const topicPartitions = [0, 1].map((partition) => ({ topic: "client", partition }));
      const at = (offset: number) => topicPartitions.map((one) => ({ ...one, offset }));
      expect(await consumer.committed({ ...id, topicPartitions })).toEqual(at(0));
      await consumer.commit({ ...id, offset: { topic: "client", partition: 1, offset: 1 } });
      await consumer.commit({ ...id, offset: [{ topic: "client", partition: 1, offset: 0 }] });
      expect(await consumer.committed({ ...id, topicPartitions })).toEqual(at(0));
      await consumer.commit(id);
      expect(await admin.committedOffsets({ ...id, topicPartitions })).toEqual(at(1));
      expect(
        await admin.committedOffsets({ ...id, topicPartition: { topic: "client", partition: 1 } }),
      ).toEqual(at(1).slice(1));
      expect(await admin.topics()).toMatchObject({ client: 2 });
      expect(await admin.topicPartitionOffsets({ timestamp: "latest", topicPartitions })).toEqual(at(1));
      expect(await admin.consumers()).toContainEqual({
        name: consumerGroupId,
        instances: [{ name: "instance-1", topics: [{ topic: "client", partitions: [0, 1] }] }],
      });
      await admin.removeConsumerInstance(consumerGroupId, "instance-1");
      expect((await admin.consumers()).map(({ name }) => name)).not.toContain(consumerGroupId);
      expect(await consumer.fetch({ topic: "client", partition: 1, offset: 0 })).toHaveLength(1);
    });

    test("a topic in the path is consumed, and several topics at once", async () => {
      await produce("one", ["first"]);
      await produce("more", ["second"], 1);
      const path = `/consume/${newGroup()}/a/one`;
      const read: unknown[] = [];
      await until(async () => {
        const { body } = await harness.send<unknown[]>(`${path}?timeout=500`, undefined, {
          headers: earliest,
        });
        read.push(...body);
        return read.length > 0;
      });
      expect(read).toMatchObject([{ topic: "one", value: "first" }]);
      const both = new TestInstance(harness, newGroup(), "a", { topics: ["more", "one"], headers: earliest });
      expect(new Set(values(await both.take(2)))).toEqual(new Set(["first", "second"]));
    });

    test("without a commit a partition's offset is -1, in the order asked for", async () => {
      const group = instance("more", earliest);
      expect(await group.committed("more", [1, 0])).toEqual([-1, -1]);
    });

    test("what was handed out is committed when the instance comes back", async () => {
      await produce("auto", ["0", "1", "2"]);
      const a = instance("auto", { ...earliest, "kafka-auto-commit-interval": "3600000" });
      expect(values(await a.take(3))).toEqual(["0", "1", "2"]);
      expect(await a.committed("auto", [0])).toEqual([0]);
      expect(await a.consume(0)).toEqual([]);
      expect(await a.committed("auto", [0])).toEqual([3]);
    });

    test("what was handed out is committed after the interval, though the instance stays away", async () => {
      await produce("interval", ["0", "1"]);
      const a = instance("interval", { ...earliest, "kafka-auto-commit-interval": "100" });
      await a.take(2);
      await until(async () => (await a.committed("interval", [0]))[0] === 2);
      expect(await a.consume(0)).toEqual([]);
    });

    test("without auto commit nothing is committed, each record is handed out once, and the next instance has them all", async () => {
      await produce("manual", ["0", "1"]);
      const group = newGroup();
      const a = instance("manual", manual, group);
      expect(values(await a.take(2))).toEqual(["0", "1"]);
      expect(await a.consume(0)).toEqual([]);
      expect(await a.committed("manual", [0])).toEqual([0]);
      expect(
        await harness.send(`/delete-consumer/${group}/a`, undefined, { method: "DELETE" }),
      ).toMatchObject({
        status: 200,
        body: success,
      });
      const b = instance("manual", manual, group, "b");
      expect(values(await b.take(2))).toEqual(["0", "1"]);
      expect(await b.commit()).toMatchObject({ status: 200, body: success });
      expect(await b.committed("manual", [0])).toEqual([2]);
    });

    test("the settings of an instance are those of its first call", async () => {
      const group = newGroup();
      const a = instance("manual", manual, group);
      expect(values(await a.take(2))).toEqual(["0", "1"]);
      const later = instance("manual", { "kafka-auto-commit-interval": "100" }, group);
      expect(await later.consume(0)).toEqual([]);
      expect(await later.consume(1_500)).toEqual([]);
      expect(await later.committed("manual", [0])).toEqual([0]);
    });

    test("an instance that says that it ends has done what it was handed, where it commits by itself", async () => {
      const group = newGroup();
      await instance("auto", earliest, group).take(3);
      await harness.send(`/delete-consumer/${group}/a`, undefined, { method: "POST" });
      expect(await instance("auto", earliest, group).committed("auto", [0])).toEqual([3]);
    });

    test("latest begins at the end, earliest at the start, and none nowhere", async () => {
      await produce("reset", ["before"]);
      const latest = instance("reset", {});
      await until(async () => {
        expect(await latest.consume(200)).toEqual([]);
        return "a" in (await latest.shares());
      });
      await until(async () => (await latest.committed("reset", [0]))[0] === 1);
      await produce("reset", ["after"]);
      expect(values(await latest.take(1))).toEqual(["after"]);
      expect(values(await instance("reset", earliest).take(2))).toEqual(["before", "after"]);
      const none = instance("reset", { "kafka-auto-offset-reset": "none" });
      let refusal: unknown;
      await until(async () => {
        const { status, body } = await none.call(500);
        refusal = { status, body };
        return status !== 200;
      });
      expect(refusal).toMatchObject({ status: 422, body: { status: 422 } });
      await until(async () => !("a" in (await none.shares())));
    });

    test("a waiting consume wakes when a record comes", async () => {
      const a = instance("late", earliest);
      await until(async () => {
        await a.consume(200);
        return "a" in (await a.shares());
      });
      const waiting = a.consume(20_000);
      await new Promise((resolve) => setTimeout(resolve, 100));
      const started = performance.now();
      await produce("late", ["here"]);
      expect(values(await waiting)).toEqual(["here"]);
      expect(performance.now() - started).toBeLessThan(10_000);
    });

    test("answers are bounded, and one after the other they give every record once", async () => {
      const texts = Array.from({ length: 60 }, (_, index) => `${index}`.padEnd(100, "."));
      await produce("long", texts);
      const a = instance("long", earliest);
      const all: string[] = [];
      await until(async () => {
        const answer = await a.consume(500);
        expect(Buffer.byteLength(JSON.stringify(answer))).toBeLessThanOrEqual(2_002);
        all.push(...values(answer));
        return all.length >= texts.length;
      });
      expect(all).toEqual(texts);
    });
  });
}

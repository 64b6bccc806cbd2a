import { Consumer, Producer, stringSerializers } from "@platformatic/kafka";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import type { KafkaLog } from "../../bridge/kafka/kafka-log.ts";
import type { ConsumeRequest } from "../../bridge/groups.ts";
import { EMPTY_HEADERS, jsonSlice } from "../../bridge/log.ts";
import { newGroup, until } from "../bridge/contract/test-instance.ts";
import { adminOf, makeTopics, openKafkaLog } from "../support/kafka-log.ts";

const brokers = inject("kafka").bootstrap;
const topics = { "groups.txn": 1, "groups.short": 2, "groups.kept": 1 };

describe("a consumer group of the bridge on Kafka", () => {
  let log: KafkaLog;
  beforeAll(async () => {
    await makeTopics(brokers, topics);
    log = await openKafkaLog(brokers, topics);
  });
  afterAll(() => log.close());

  const append = (topic: string, values: readonly string[]) =>
    log.append(
      values.map((value) => ({
        topic,
        partition: 0,
        timestamp: Date.now(),
        key: null,
        value: jsonSlice(value),
        headers: EMPTY_HEADERS,
      })),
    );

  const requestOf = (topic: string, offsetReset: "earliest" | "latest"): ConsumeRequest => ({
    group: newGroup(),
    instance: "a",
    topics: [topic],
    settings: { autoCommit: false, autoCommitIntervalMs: 5_000, offsetReset, sessionTimeoutMs: 120_000 },
    maxBytes: 1e6,
    timeoutMs: 500,
  });

  /** Consumes until it has so many records or more. */
  const take = async (request: ConsumeRequest, count: number) => {
    const values: string[] = [];
    await until(async () => {
      const { records } = (await log.groups.consume(request)).read;
      const list = JSON.parse(`[${Buffer.concat(records).toString().slice(0, -2)}]`) as { value: string }[];
      values.push(...list.map(({ value }) => value));
      return values.length >= count;
    });
    return values;
  };

  const committed = async ({ group }: ConsumeRequest, topic: string) =>
    (await log.groups.committed(group, [{ topic, partition: 0 }]))[0]?.offset;

  test("hands out nothing of an aborted transaction, and commits behind its markers", async () => {
    const topic = "groups.txn";
    await append(topic, ["before"]);
    const producer = new Producer({
      clientId: "another",
      bootstrapBrokers: [...brokers],
      idempotent: true,
      transactionalId: "groups",
      serializers: stringSerializers,
    });
    const transaction = await producer.beginTransaction({});
    await transaction.send({ messages: [{ topic, partition: 0, value: "never" }] });
    await transaction.abort();
    await producer.close();
    await append(topic, ["after"]);
    const request = requestOf(topic, "earliest");
    expect(await take(request, 2)).toEqual(["before", "after"]);
    await log.groups.commit({ ...request, offsets: null, authorize: () => undefined });
    // "before", "never", the marker and "after".
    expect(await committed(request, topic)).toBe(4);
  });

  test("whose place the log has let go of goes on by the reset, as the instance has it", async () => {
    const topic = "groups.short";
    await append(topic, ["0", "1", "2", "3"]);
    const requests = [requestOf(topic, "earliest"), requestOf(topic, "latest")] as const;
    for (const request of requests) {
      const first = { ...request, settings: { ...request.settings, offsetReset: "earliest" as const } };
      await take(first, 4);
      await log.groups.remove({ ...request, authorize: () => undefined });
    }
    const admin = adminOf(brokers);
    await admin.deleteRecords({ topics: [{ name: topic, partitions: [{ partition: 0, offset: 2n }] }] });
    await admin.close();
    const [earliest, latest] = requests;
    expect(await take({ ...earliest, instance: "b" }, 2)).toEqual(["2", "3"]);
    await until(async () => {
      expect((await log.groups.consume({ ...latest, instance: "b" })).read.records).toEqual([]);
      return (await committed(latest, topic)) === 4;
    });
    await append(topic, ["4"]);
    expect(await take({ ...latest, instance: "b" }, 1)).toEqual(["4"]);
  });

  test("leaves a member of another program in its group, whatever topics the caller may consume", async () => {
    const group = newGroup();
    const consumer = new Consumer({
      clientId: "another",
      bootstrapBrokers: [...brokers],
      groupId: group,
      groupInstanceId: "theirs",
      protocols: [{ name: "range", version: 1 }],
    });
    const stream = await consumer.consume({ topics: ["groups.kept"], mode: "latest" });
    const members = async () =>
      (await log.groups.list()).find(({ name }) => name === group)?.instances.map(({ name }) => name);
    const refused = { code: "refused", effect: "none" };
    const theirs = { group, instance: "theirs" };
    await expect(log.groups.remove({ ...theirs, authorize: () => undefined })).rejects.toMatchObject(refused);
    const taking = log.groups.consume({ ...requestOf("groups.txn", "latest"), ...theirs });
    await expect(taking).rejects.toMatchObject(refused);
    expect(await members()).toEqual(["theirs"]);
    await stream.close();
    await consumer.close(true);
  });

  test("keeps its settings and its place in Kafka alone: a bridge that starts anew goes on", async () => {
    const topic = "groups.kept";
    await append(topic, ["0", "1"]);
    const request = requestOf(topic, "earliest");
    expect(await take(request, 2)).toEqual(["0", "1"]);
    await log.close();
    log = await openKafkaLog(brokers, topics);
    const changed = { ...request, settings: { ...request.settings, autoCommit: true } };
    expect((await log.groups.consume(changed)).read.records).toEqual([]);
    expect((await log.groups.consume(changed)).read.records).toEqual([]);
    expect(await committed(request, topic)).toBe(0);
    await log.groups.commit({ ...request, offsets: null, authorize: () => undefined });
    expect(await committed(request, topic)).toBe(2);
  });
});

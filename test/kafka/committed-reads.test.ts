import { setTimeout as sleep } from "node:timers/promises";
import { Producer } from "@platformatic/kafka";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import type { KafkaLog } from "../../bridge/kafka/kafka-log.ts";
import { type AppendRecord, EMPTY_HEADERS, jsonSlice, type PartitionRead } from "../../bridge/log.ts";
import { adminOf, makeTopics, openKafkaLog } from "../support/kafka-log.ts";

const brokers = inject("kafka").bootstrap;
/** A broker's first transaction takes its time. */
const patience = { timeout: 20_000 };
const topics = { "reads.txn": 8, "reads.large": 1, "reads.replaced": 1, "reads.copied": 1 };

interface Read {
  readonly offset: number;
  readonly timestamp: number;
  readonly key: string;
  readonly value: string;
  readonly headers: readonly { readonly key: string; readonly value: string }[];
}

describe("a read of committed records", () => {
  let log: KafkaLog;
  beforeAll(async () => {
    await makeTopics(brokers, topics);
    log = await openKafkaLog(brokers, topics);
  });
  afterAll(() => log.close());

  const append = (topic: string, partition: number, value: string) => {
    const record: AppendRecord = {
      topic,
      partition,
      timestamp: 1_700_000_000_000,
      key: null,
      value: jsonSlice(value),
      headers: EMPTY_HEADERS,
    };
    return log.append([record]);
  };

  const readAt = async (
    topic: string,
    partition: number,
    offset: number,
    timeoutMs = 0,
  ): Promise<{ readonly read: PartitionRead; readonly values: string[]; readonly records: Read[] }> => {
    const positions = [{ topic, partition, offset }];
    const { records, partitions } = await log.read({ positions, maxBytes: 1e6, timeoutMs });
    const list = JSON.parse(`[${Buffer.concat(records).toString().slice(0, -2)}]`) as Read[];
    return { read: partitions[0] as PartitionRead, values: list.map(({ value }) => value), records: list };
  };

  /** Reads on until nothing comes: a broker answers from one of its log's files at a time. */
  const readAll = async (topic: string, partition: number, offset: number) => {
    const records: Read[] = [];
    for (let position = offset; ;) {
      const run = await readAt(topic, partition, position);
      records.push(...run.records);
      if (run.read.next === position) return { records, read: run.read };
      position = run.read.next;
    }
  };

  /** Another producer's transaction of some records, ended as told, or left open. */
  const transact = async (
    partition: number,
    values: readonly string[],
    end: "commit" | "abort" | "open",
  ): Promise<{ finish: () => Promise<void> }> => {
    const producer = new Producer<string, string, string, string>({
      clientId: "another",
      bootstrapBrokers: [...brokers],
      idempotent: true,
      transactionalId: `another-${partition}-${values.join()}`,
      serializers: {
        key: (text) => Buffer.from(text ?? ""),
        value: (text) => Buffer.from(text ?? ""),
        headerKey: (text) => Buffer.from(text ?? ""),
        headerValue: (text) => Buffer.from(text ?? ""),
      },
    });
    const transaction = await producer.beginTransaction({});
    for (const value of values) {
      await transaction.send({ messages: [{ topic: "reads.txn", partition, value }] });
    }
    if (end === "abort") await transaction.abort();
    if (end === "commit") await transaction.commit();
    // The coordinator answers before the partition has the marker.
    const isMarked = async () => (await readAt("reads.txn", partition, 0)).read.end >= values.length + 1;
    if (end !== "open") await expect.poll(isMarked, patience).toBe(true);
    const finish = async () => {
      await transaction.commit();
      await producer.close();
    };
    if (end !== "open") await producer.close();
    return { finish };
  };

  test("passes over the marker that ends a transaction, and tells where to read on", async () => {
    await transact(0, ["a", "b"], "commit");
    const { read, values } = await readAt("reads.txn", 0, 0);
    expect(values).toEqual(["a", "b"]);
    expect(read).toMatchObject({ next: 3, start: 0, end: 3 });
    expect((await readAt("reads.txn", 0, 2)).read).toMatchObject({ next: 3, end: 3 });
    expect((await readAt("reads.txn", 0, 2)).values).toEqual([]);
    expect((await readAt("reads.txn", 0, 3)).read).toMatchObject({ next: 3, end: 3 });
  });

  test("shows nothing of an aborted transaction, and all that stands around it", async () => {
    await append("reads.txn", 1, "before");
    await transact(1, ["never", "never either"], "abort");
    await append("reads.txn", 1, "after");
    await transact(1, ["yes"], "commit");
    await expect.poll(async () => (await readAt("reads.txn", 1, 0)).read.end, patience).toBe(7);
    const { read, records } = await readAll("reads.txn", 1, 0);
    expect(records.map(({ offset, value }) => [offset, value])).toEqual([
      [0, "before"],
      [4, "after"],
      [5, "yes"],
    ]);
    expect(read).toMatchObject({ next: 7, end: 7 });
    // From the middle of what was aborted as well.
    expect((await readAll("reads.txn", 1, 2)).records.map(({ value }) => value)).toEqual(["after", "yes"]);
  });

  test("ends before an open transaction, and goes on behind it when it is over", async () => {
    const { finish } = await transact(2, ["held"], "open");
    await append("reads.txn", 2, "behind");
    const held = await readAt("reads.txn", 2, 0);
    expect(held.values).toEqual([]);
    expect(held.read).toMatchObject({ next: 0, end: 0 });
    expect(await log.offsets("latest", [{ topic: "reads.txn", partition: 2 }])).toMatchObject([
      { offset: 0 },
    ]);
    await finish();
    await expect
      .poll(async () => (await readAt("reads.txn", 2, 0)).values, patience)
      .toEqual(["held", "behind"]);
  });

  test("a waiting read sleeps through markers and wakes for a record", async () => {
    await transact(3, ["never"], "abort");
    const waiting = readAt("reads.txn", 3, 0, 20_000);
    await sleep(300);
    await append("reads.txn", 3, "here");
    expect(await waiting).toMatchObject({ values: ["here"] });
  });

  test("an offset before the log's start is read from the start, which is told", async () => {
    for (const value of ["0", "1", "2", "3"]) await append("reads.txn", 4, value);
    const admin = adminOf(brokers);
    await admin.deleteRecords({
      topics: [{ name: "reads.txn", partitions: [{ partition: 4, offset: 3n }] }],
    });
    await admin.close();
    const { read, values } = await readAt("reads.txn", 4, 1);
    expect(values).toEqual(["3"]);
    expect(read).toMatchObject({ next: 4, start: 3, end: 4 });
    expect(await log.offsets("earliest", [{ topic: "reads.txn", partition: 4 }])).toMatchObject([
      { offset: 3 },
    ]);
  });

  test("an offset behind the end is no error: the end is told", async () => {
    await append("reads.txn", 5, "only");
    const { read, values } = await readAt("reads.txn", 5, 100);
    expect(values).toEqual([]);
    expect(read).toMatchObject({ next: 100, start: 0, end: 1 });
  });

  test("what other producers write without a key, a value, UTF-8 or a header's value can be read", async () => {
    const producer = new Producer({ clientId: "foreign", bootstrapBrokers: [...brokers] });
    const bytes = Buffer.from([0xff, 0xfe, 0x41]);
    const at = { topic: "reads.txn", partition: 6 };
    await producer.send({ acks: -1, messages: [{ ...at, value: bytes }] });
    await producer.send({ acks: -1, messages: [{ ...at, key: Buffer.from("k"), value: null as never }] });
    await producer.close();
    const { records } = await readAt("reads.txn", 6, 0);
    expect(records).toMatchObject([
      { key: "", value: "\ufffd\ufffdA", headers: [] },
      { key: "k", value: "" },
    ]);
  });

  test("compaction leaves holes, which a read passes over", async () => {
    await makeTopics(
      brokers,
      { "reads.compacted": 1 },
      {
        "cleanup.policy": "compact",
        "min.cleanable.dirty.ratio": "0.001",
        "segment.ms": "100",
        "delete.retention.ms": "0",
      },
    );
    const keyed = (key: string, value: string): AppendRecord => ({
      topic: "reads.compacted",
      partition: 0,
      timestamp: Date.now(),
      key: jsonSlice(key),
      value: jsonSlice(value),
      headers: EMPTY_HEADERS,
    });
    await expect
      .poll(async () => (await log.topics(["reads.compacted"])).get("reads.compacted"), patience)
      .toBe(1);
    for (const value of ["1", "2", "3"]) {
      expect(await log.append([keyed("same", value)])).toMatchObject([{ offset: Number(value) - 1 }]);
    }
    // The cleaner leaves the newest segment alone: records that follow roll it.
    await expect
      .poll(
        async () => {
          await log.append([keyed(`roll-${Date.now()}`, "roll")]);
          return (await readAt("reads.compacted", 0, 0)).records[0]?.offset;
        },
        { timeout: 60_000, interval: 500 },
      )
      .toBe(2);
    expect((await readAt("reads.compacted", 0, 0)).records[0]).toMatchObject({ offset: 2, value: "3" });
  });

  test("the largest record goes through, and what is larger is refused whole", async () => {
    const [taken] = await append("reads.large", 0, "x".repeat(1_048_576));
    expect(taken).toMatchObject({ offset: 0 });
    expect((await readAt("reads.large", 0, 0)).values[0]).toHaveLength(1_048_576);
    const [refused] = await append("reads.large", 0, "x".repeat(1_200_000));
    expect(refused).toMatchObject({ failure: { code: "too-large", effect: "none" } });
  });

  test("records that are too large together go in several batches, in order", async () => {
    const values = Array.from({ length: 40 }, (_, index) => `${index}`.padEnd(60_000, "y"));
    await makeTopics(brokers, { "reads.small": 1 }, { "max.message.bytes": "200000" });
    await expect.poll(async () => (await log.topics(["reads.small"])).get("reads.small"), patience).toBe(1);
    const results = await log.append(
      values.map((value) => ({
        topic: "reads.small",
        partition: 0,
        timestamp: 1,
        key: null,
        value: jsonSlice(value),
        headers: EMPTY_HEADERS,
      })),
    );
    expect(results).toMatchObject(values.map((_, offset) => ({ offset })));
  });

  test("a copy that has not written yet tells the id of the topic that took the record, though it knew another", async () => {
    const at = { topic: "reads.copied", partition: 0 };
    const fresh = await openKafkaLog(brokers, topics);
    await makeTopics(brokers, { "reads.copied": 1 });
    for (const value of ["0", "1", "2"]) {
      await expect.poll(async () => (await append(at.topic, 0, value))[0], patience).toHaveProperty("offset");
    }
    const record = { ...at, timestamp: 1, key: null, value: jsonSlice("3"), headers: EMPTY_HEADERS };
    const [result] = await fresh.append([record]);
    const { read } = await readAt(at.topic, 0, 0);
    expect(result).toMatchObject({ topicId: read.topicId });
    await fresh.close();
  });

  test("a topic that was made again has another id, in a produce's answer and in a read's", async () => {
    const at = { topic: "reads.replaced", partition: 0 };
    for (const value of ["0", "1", "2"]) await append(at.topic, 0, value);
    const [before] = await log.offsets("latest", [at]);
    await makeTopics(brokers, { "reads.replaced": 1 });
    const [result] = await append(at.topic, 0, "new");
    const { read } = await readAt(at.topic, 0, 0);
    expect(before?.offset).toBe(3);
    expect(read.topicId).not.toBe(before?.topicId);
    expect(result).toMatchObject({ offset: 0, topicId: read.topicId });
  });
});

import { ConfigResourceTypes, IncrementalAlterConfigOperationTypes } from "@platformatic/kafka";
import { afterEach, describe, expect, inject, test } from "vitest";
import { KafkaLog, type KafkaLogOptions } from "../../bridge/kafka/kafka-log.ts";
import type { TopicRequirement } from "../../bridge/kafka/topic-requirement.ts";
import { EMPTY_HEADERS, jsonSlice } from "../../bridge/log.ts";
import { adminOf, makeTopics, removeTopics } from "../support/kafka-log.ts";

const brokers = inject("kafka").bootstrap;
const journal = "held.journal";
const items = "held.items";
const output = "held.output";
const topics: Record<string, TopicRequirement> = {
  [journal]: { partitions: 2, role: "journal" },
  [items]: { partitions: 2, role: "source" },
  [output]: { partitions: 2, role: "output" },
};
const counts = { [journal]: 2, [items]: 2, [output]: 2 };
const dayMs = 86_400_000;

describe("topics are held to what Gavel rests on", () => {
  const opened: KafkaLog[] = [];
  const open = async (options: Partial<KafkaLogOptions> = {}): Promise<KafkaLog> => {
    const log = await KafkaLog.open({ brokers, clientId: "gavel-tests", topics, ...options });
    opened.push(log);
    return log;
  };
  afterEach(async () => {
    for (const log of opened.splice(0)) await log.close();
  });

  const set = async (topic: string, name: string, value: string): Promise<void> => {
    const admin = adminOf(brokers);
    const configs = [{ name, configOperation: IncrementalAlterConfigOperationTypes.SET, value }];
    const resources = [{ resourceType: ConfigResourceTypes.TOPIC, resourceName: topic, configs }];
    await admin.incrementalAlterConfigs({ resources });
    await admin.close();
  };

  const append = (log: KafkaLog, topic: string) =>
    log.append([
      {
        topic,
        partition: 0,
        timestamp: Date.now(),
        key: null,
        value: jsonSlice("v"),
        headers: EMPTY_HEADERS,
      },
    ]);

  test("missing ones stop the start, with the commands that make them", async () => {
    const admin = adminOf(brokers);
    await removeTopics(admin, Object.keys(topics));
    await admin.close();
    const refusal = open();
    await expect(refusal).rejects.toThrow(`Topic ${journal} does not exist.`);
    await expect(refusal).rejects.toThrow("--create-topics");
    await expect(refusal).rejects.toThrow(
      /kafka-topics\.sh --bootstrap-server [\d.:]+ --create --topic held\.journal --partitions 2 --replication-factor 3 .*--config retention\.ms=-1/,
    );
  });

  test("are made where that is asked for, all with the same partitions and kept for good", async () => {
    const admin = adminOf(brokers);
    await removeTopics(admin, Object.keys(topics));
    const log = await open({ createTopics: { replication: 1, minInsyncReplicas: 1 } });
    expect(Object.fromEntries(await log.topics())).toMatchObject(counts);
    const resources = Object.keys(topics).map((resourceName) => ({
      resourceType: ConfigResourceTypes.TOPIC,
      resourceName,
    }));
    for (const { configs } of await admin.describeConfigs({ resources })) {
      const settings = Object.fromEntries(configs.map(({ name, value }) => [name, value]));
      expect(settings).toMatchObject({
        "retention.ms": "-1",
        "cleanup.policy": "delete",
        "message.timestamp.type": "CreateTime",
      });
    }
    await admin.close();
  });

  test.each([
    [
      journal,
      "message.timestamp.type",
      "LogAppendTime",
      /held\.journal has message\.timestamp\.type=LogAppendTime/,
    ],
    [
      items,
      "message.timestamp.type",
      "LogAppendTime",
      /held\.items has message\.timestamp\.type=LogAppendTime/,
    ],
    [journal, "cleanup.policy", "compact", /held\.journal has cleanup\.policy=compact/],
    [journal, "cleanup.policy", "compact,delete", /held\.journal has cleanup\.policy=compact,delete/],
    [journal, "retention.ms", `${89 * dayMs}`, /retention\.ms=\d+, less than the longest auction of 90 days/],
    [items, "retention.ms", `${dayMs}`, /held\.items has retention\.ms=86400000/],
    [journal, "retention.bytes", "1000000", /held\.journal has retention\.bytes=1000000/],
  ])("%s with %s=%s stops the start with a plain sentence", async (topic, name, value, sentence) => {
    await makeTopics(brokers, counts);
    await set(topic, name, value);
    await expect(open()).rejects.toThrow(sentence);
  });

  test("one with another partition count stops the start", async () => {
    await makeTopics(brokers, { ...counts, [output]: 3 });
    await expect(open()).rejects.toThrow(`Topic ${output} has 3 partitions, not 2.`);
  });

  test("an output may be compacted and may keep its records for a shorter time", async () => {
    await makeTopics(brokers, counts);
    await set(output, "cleanup.policy", "compact,delete");
    await set(output, "retention.ms", `${dayMs}`);
    expect((await open()).problems()).toEqual([]);
  });

  test("a longest auction of fewer days lets the journal go sooner", async () => {
    await makeTopics(brokers, counts);
    await set(journal, "retention.ms", `${31 * dayMs}`);
    expect((await open({ keepMs: 30 * dayMs })).problems()).toEqual([]);
  });

  test.each([
    ["cleanup.policy", "compact", "delete"],
    ["message.timestamp.type", "LogAppendTime", "CreateTime"],
    ["retention.ms", "1000000", "-1"],
  ])("%s=%s set later takes no more records until it is mended", async (name, wrong, right) => {
    await makeTopics(brokers, counts);
    const heard: string[][] = [];
    const onProblems = (problems: readonly string[]) => void heard.push([...problems]);
    const log = await open({ checkEveryMs: 100, onProblems });
    expect(await append(log, journal)).toMatchObject([{ offset: 0 }]);
    await set(journal, name, wrong);
    await expect.poll(() => log.problems()).toEqual([expect.stringContaining(`${name}=${wrong}`)]);
    await expect(append(log, journal)).rejects.toMatchObject({ code: "unavailable", effect: "none" });
    expect(await append(log, output)).toMatchObject([{ topicId: expect.any(String) as string }]);
    await set(journal, name, right);
    await expect.poll(() => log.problems()).toEqual([]);
    expect(await append(log, journal)).toMatchObject([{ topicId: expect.any(String) as string }]);
    expect(heard.at(-1)).toEqual([]);
  });

  test("partitions that are added later take no more records, since keys would move", async () => {
    await makeTopics(brokers, counts);
    const log = await open({ checkEveryMs: 100 });
    const admin = adminOf(brokers);
    await admin.createPartitions({
      topics: [{ name: journal, count: 3, assignments: [{ brokerIds: [1] }] }],
    });
    await admin.close();
    await expect.poll(() => log.problems()).toEqual([`Topic ${journal} has 3 partitions, not 2.`]);
    await expect(append(log, journal)).rejects.toMatchObject({ code: "unavailable", effect: "none" });
  });

  test("a record that comes back with the broker's clock stops its topic at once", async () => {
    await makeTopics(brokers, counts);
    const log = await open({ checkEveryMs: 3_600_000 });
    await set(journal, "message.timestamp.type", "LogAppendTime");
    await expect
      .poll(async () => (await append(log, journal).catch(() => "refused")) === "refused")
      .toBe(true);
    expect(log.problems()).toEqual([expect.stringContaining("LogAppendTime")]);
  });

  test("a cluster that does not answer is a plain sentence", async () => {
    const started = performance.now();
    await expect(open({ brokers: ["127.0.0.1:1"] })).rejects.toThrow(/cannot be reached.*127\.0\.0\.1:1/);
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});

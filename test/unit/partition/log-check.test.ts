import { expect, test } from "vitest";
import { LogCheck } from "../../../durable-objects/log-check.ts";
import type { PartitionDependencies } from "../../../durable-objects/dependencies.ts";
import { LogWait } from "../../../durable-objects/log-wait.ts";
import { auctionMigrations, migrate } from "../../../durable-objects/storage/migrations.ts";
import { TopicIdentities, TopicReplaced } from "../../../durable-objects/topic-identities.ts";
import type { KafkaLog } from "../../../src/kafka/port.ts";
import { memoryStorage } from "../../support/sqlite-storage.ts";

function checkOf(
  position: number,
  endOf: () => number | undefined,
  idOf: () => string | undefined = () => undefined,
) {
  let asked = 0;
  const offsets: KafkaLog["offsets"] = (_at, wanted) => {
    asked += 1;
    const end = endOf();
    const topicId = idOf();
    const ofTopic = topicId === undefined ? {} : { topicId };
    return Promise.resolve(
      end === undefined ? [] : wanted.map((one) => ({ ...one, offset: end, ...ofTopic })),
    );
  };
  const dependencies: PartitionDependencies = {
    group: "auction",
    partition: 3,
    storage: memoryStorage(),
    log: { offsets } as KafkaLog,
    clock: { now: () => 0, sleep: () => Promise.resolve() },
    logger: () => undefined,
    handOn: () => undefined,
    settings: { topicPrefix: "", closeGraceMs: 1, earlyBidWaitMs: 1, retentionMs: 1, produceTimeoutMs: 1 },
  };
  const names = { journal: "auction.bids", items: "auction.items" };
  const identities = new TopicIdentities(dependencies, names, () => position === 0);
  migrate(dependencies.storage, auctionMigrations);
  identities.load();
  const place = { role: "journal", topic: "auction.bids", partition: 3, offset: position } as const;
  const check = new LogCheck(dependencies, () => [place], identities);
  return { check, asked: () => asked };
}

test("a log that ends before the position stops the partition, with a reason", async () => {
  const { check } = checkOf(9, () => 5);
  await expect(check.once()).rejects.toThrow("auction.bids/3 ends at 5, before the position 9");
});

test("a log that ends at the position or behind it is right, and is asked once", async () => {
  const { check, asked } = checkOf(9, () => 9);
  await check.once();
  await check.once();
  expect(asked()).toBe(1);
});

test("a partition that stopped goes on by itself when its log is back", async () => {
  let end = 5;
  const { check } = checkOf(9, () => end);
  await expect(check.once()).rejects.toThrow("before the position");
  end = 12;
  await expect(check.once()).resolves.toBeUndefined();
});

test("a wake checks again, and an end that the log does not tell is not held against it", async () => {
  let end: number | undefined = 9;
  const { check, asked } = checkOf(9, () => end);
  await check.once();
  check.forget();
  end = undefined;
  await check.once();
  expect(asked()).toBe(2);
});

test("with ids known, an end before the position is waited for: a leader after a failover catches up", async () => {
  let end = 5;
  const { check } = checkOf(
    9,
    () => end,
    () => "one",
  );
  await expect(check.once()).rejects.toThrow(LogWait);
  await expect(check.once()).rejects.toThrow("its leader has yet to catch up");
  end = 9;
  await expect(check.once()).resolves.toBeUndefined();
});

test("another id stops the partition although its log has outgrown the position, until the old one is back", async () => {
  let id = "one";
  const { check } = checkOf(
    9,
    () => 400,
    () => id,
  );
  await check.once();
  id = "two";
  check.forget();
  await expect(check.once()).rejects.toThrow(TopicReplaced);
  await expect(check.once()).rejects.toThrow(/auction\.bids was deleted and made again.*id one.*id two/);
  id = "one";
  await expect(check.once()).resolves.toBeUndefined();
});

test("a topic of which nothing was read may be another one the next time", async () => {
  let id = "one";
  const { check } = checkOf(
    0,
    () => 4,
    () => id,
  );
  await check.once();
  id = "two";
  check.forget();
  await expect(check.once()).resolves.toBeUndefined();
});

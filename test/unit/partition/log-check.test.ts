import { expect, test } from "vitest";
import { LogCheck } from "../../../durable-objects/log-check.ts";
import type { PartitionDependencies } from "../../../durable-objects/dependencies.ts";
import type { KafkaLog } from "../../../src/kafka/port.ts";
import { memoryStorage } from "../../support/sqlite-storage.ts";

function checkOf(position: number, endOf: () => number | undefined) {
  let asked = 0;
  const offsets: KafkaLog["offsets"] = (_at, wanted) => {
    asked += 1;
    const end = endOf();
    return Promise.resolve(end === undefined ? [] : wanted.map((one) => ({ ...one, offset: end })));
  };
  const dependencies: PartitionDependencies = {
    group: "auction",
    partition: 3,
    storage: memoryStorage(),
    log: { offsets } as KafkaLog,
    clock: { now: () => 0, sleep: () => Promise.resolve() },
    logger: () => undefined,
    settings: { topicPrefix: "", closeGraceMs: 1, earlyBidWaitMs: 1, retentionMs: 1, produceTimeoutMs: 1 },
  };
  const check = new LogCheck(dependencies, () => [{ topic: "auction.bids", partition: 3, offset: position }]);
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

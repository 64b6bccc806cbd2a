import { expect, test } from "vitest";
import { encodeHeaders } from "../../../src/kafka/header-text.ts";
import { PartitionCore } from "../../../durable-objects/partition-core.ts";
import { LogError, type KafkaLog, type LogRecord, type ProduceRecord } from "../../../src/kafka/port.ts";
import { eventTypes, topics } from "../../../src/topics.ts";
import { memoryStorage } from "../../support/sqlite-storage.ts";
import { HandClock } from "./core-world.ts";

/**
 * A log in memory whose topic of notifications can be away; it stands for the log alone, which is
 * tested for itself.
 */
class PartlyAwayLog implements KafkaLog {
  readonly written = new Map<string, LogRecord[]>();
  isAway = true;

  produce(records: readonly ProduceRecord[]) {
    if (this.isAway && records[0]?.topic === topics.notifications) {
      return Promise.reject(new LogError("unavailable", "none", "the topic has no leader"));
    }
    return Promise.resolve(
      records.map((record) => {
        const topic = this.topic(record.topic);
        topic.push({ ...record, offset: topic.length });
        return { ok: true as const, offset: topic.length - 1, timestamp: record.timestamp };
      }),
    );
  }

  fetch({ topic, offset }: { readonly topic: string; readonly offset: number }) {
    return Promise.resolve({ records: this.topic(topic).slice(offset, offset + 500) });
  }

  offsets(_at: "earliest" | "latest", partitions: readonly { topic: string; partition: number }[]) {
    return Promise.resolve(partitions.map((one) => ({ ...one, offset: this.topic(one.topic).length })));
  }

  topics() {
    return Promise.resolve({});
  }

  topic(name: string): LogRecord[] {
    const records = this.written.get(name) ?? [];
    this.written.set(name, records);
    return records;
  }
}

function refusedBid(number: number, timestamp: number): ProduceRecord {
  const data = { itemId: `nowhere-${number}`, bidderId: "ann", amount: 1, currency: "EUR" };
  return {
    topic: topics.journal,
    partition: 0,
    key: data.itemId,
    value: JSON.stringify({
      ...data,
      edge: { receivedAt: new Date(timestamp).toISOString(), credential: "test" },
    }),
    timestamp,
    headers: [
      { key: "ce_id", value: `bid-${number}` },
      { key: "ce_source", value: "/tests" },
      { key: "ce_type", value: eventTypes.bidPlaced },
    ],
  };
}

function coreOver(log: KafkaLog): PartitionCore {
  return new PartitionCore({
    group: "auction",
    partition: 0,
    storage: memoryStorage(),
    log,
    clock: new HandClock(),
    logger: () => undefined,
    handOn: () => undefined,
    settings: {
      topicPrefix: "",
      closeGraceMs: 2_000,
      earlyBidWaitMs: 1_000,
      retentionMs: 1_000,
      produceTimeoutMs: 1_000,
    },
  });
}

test("when outputs cannot be sent the position waits at the outbox's bound, and goes on without a loss", async () => {
  const log = new PartlyAwayLog();
  const core = coreOver(log);
  await core.start();
  const start = Date.UTC(2026, 0, 1);
  // Each bid is two hours of stream time behind the one before it, whose wait is thereby over: an output a record.
  const count = 2_200;
  for (let number = 0; number < count; number += 1) {
    const [result] = await log.produce([refusedBid(number, start + number * 7_200_000)]);
    const record = log.topic(topics.journal)[result?.offset ?? 0] as LogRecord;
    if (number < 2_001) {
      await core.push({
        topic: "journal",
        offsets: [record.offset],
        timestamps: [record.timestamp],
        keys: [record.key],
        values: [record.value],
        headers: [encodeHeaders(record.headers)],
      });
    }
  }
  const full = await core.wake();
  expect(full.outbox).toBe(2_000);
  expect(full.journal.position).toBe(2_001);
  expect(full.stalled).toContain("the topic has no leader");
  const waiting = await core.wake();
  expect(waiting.journal.position).toBe(2_001);

  log.isAway = false;
  await core.alarm();
  const status = await core.wake();
  expect(status).toMatchObject({ outbox: 0, journal: { position: count } });
  const sequences = log.topic(topics.notifications).map(({ headers }) => {
    return Number(headers.find(({ key }) => key === "gavel_sequence")?.value);
  });
  expect(sequences).toEqual(Array.from({ length: count - 1 }, (_, index) => index + 1));
});

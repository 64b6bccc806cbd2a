import { encodeHeaders } from "../../../src/kafka/header-text.ts";
import type { PartitionStorage, SqlRow, SqlValue } from "../../../durable-objects/dependencies.ts";
import { PartitionCore } from "../../../durable-objects/partition-core.ts";
import type { PushBatch } from "../../../durable-objects/rpc.ts";
import {
  LogError,
  type FetchAnswer,
  type KafkaLog,
  type LogRecord,
  type ProduceRecord,
  type ProduceResult,
  type TopicPartitionOffset,
} from "../../../src/kafka/port.ts";
import { eventTypes, topics } from "../../../src/topics.ts";
import { memoryStorage } from "../../support/sqlite-storage.ts";

let made = 0;

export const startsAt = Date.UTC(2026, 0, 1);

/** A clock that moves only when somebody sleeps for a moment, or when the test says so. */
export class HandClock {
  time = startsAt;
  /** Sleeps below this are over at once, and move the clock; longer ones end when the test moves it. */
  longSleepMs = 1_000;
  private readonly sleepers: { readonly until: number; readonly wake: () => void }[] = [];

  now(): number {
    return this.time;
  }

  sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    if (milliseconds >= this.longSleepMs) {
      return new Promise((resolve) => {
        this.sleepers.push({ until: this.time + milliseconds, wake: resolve });
        signal?.addEventListener("abort", () => resolve());
      });
    }
    this.time += milliseconds;
    return Promise.resolve();
  }

  /** Lets time pass and wakes whose sleep is over. */
  async advance(milliseconds: number): Promise<void> {
    this.time += milliseconds;
    for (const { until, wake } of this.sleepers) if (until <= this.time) wake();
    await settled();
  }
}

/** Lets follow what follows from what happened. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A log in memory that can be away, and that counts what it is asked. */
export class MemoryLog implements KafkaLog {
  isAway = false;
  /** A topic that takes nothing. */
  refused = "";
  fetches = 0;
  produces = 0;
  /** What somebody appends to a topic whenever it is read, so that a reader never meets its end. */
  steadily: ((topic: string) => ProduceRecord | undefined) | undefined;
  private readonly records = new Map<string, LogRecord[]>();

  topic(name: string): LogRecord[] {
    const records = this.records.get(name) ?? [];
    this.records.set(name, records);
    return records;
  }

  append(record: ProduceRecord): LogRecord {
    const topic = this.topic(record.topic);
    const logged = { ...record, offset: topic.length };
    topic.push(logged);
    return logged;
  }

  produce(records: readonly ProduceRecord[]): Promise<readonly ProduceResult[]> {
    this.produces += 1;
    if (this.isAway || records[0]?.topic === this.refused)
      return Promise.reject(new LogError("unavailable", "none", "the log is away"));
    return Promise.resolve(
      records.map((record) => {
        const { offset, timestamp } = this.append(record);
        return { ok: true as const, offset, timestamp };
      }),
    );
  }

  async fetch({ topic, offset }: TopicPartitionOffset): Promise<FetchAnswer> {
    this.fetches += 1;
    const another = this.steadily?.(topic);
    if (another !== undefined) {
      this.append(another);
      await settled();
    }
    if (this.isAway) throw new LogError("unavailable", "none", "the log is away");
    return { records: this.topic(topic).slice(offset, offset + 500) };
  }

  /** The ends, or where the first record is that is not before a time. */
  offsets(at: "earliest" | "latest" | number, partitions: readonly { topic: string; partition: number }[]) {
    if (this.isAway) return Promise.reject(new LogError("unavailable", "none", "the log is away"));
    const offsetIn = (records: readonly LogRecord[]): number => {
      const found = typeof at === "number" ? records.findIndex(({ timestamp }) => timestamp >= at) : -1;
      return found === -1 ? records.length : found;
    };
    return Promise.resolve(partitions.map((one) => ({ ...one, offset: offsetIn(this.topic(one.topic)) })));
  }

  topics() {
    return Promise.resolve({});
  }
}

/** A storage that remembers its alarm, as the runtime does, and that can fail. */
class FragileStorage implements PartitionStorage {
  alarmAt: number | null = null;
  /** Statements that still succeed before every one fails. */
  statementsLeft = Number.POSITIVE_INFINITY;
  private readonly inner = memoryStorage();

  private step(): void {
    this.statementsLeft -= 1;
    if (this.statementsLeft < 0) throw new Error("the disk failed");
  }

  all<Row extends SqlRow>(statement: string, ...parameters: SqlValue[]): Row[] {
    this.step();
    return this.inner.all<Row>(statement, ...parameters);
  }

  run(statement: string, ...parameters: SqlValue[]): void {
    this.step();
    this.inner.run(statement, ...parameters);
  }

  transaction<Result>(body: () => Result): Result {
    return this.inner.transaction(body);
  }

  sync(): Promise<void> {
    return Promise.resolve();
  }

  setAlarm(at: number): Promise<void> {
    this.alarmAt = at;
    return Promise.resolve();
  }

  getAlarm(): Promise<number | null> {
    return Promise.resolve(this.alarmAt);
  }
}

export class World {
  readonly clock = new HandClock();
  readonly log: MemoryLog;
  readonly storage = new FragileStorage();
  core: PartitionCore;

  constructor(log = new MemoryLog()) {
    this.log = log;
    this.core = this.makeCore();
    // The same steps make the same events in every world.
    made = 0;
  }

  private makeCore(): PartitionCore {
    return new PartitionCore({
      group: "auction",
      partition: 0,
      storage: this.storage,
      log: this.log,
      clock: this.clock,
      logger: () => undefined,
      handOn: () => undefined,
      settings: {
        topicPrefix: "",
        closeGraceMs: 2_000,
        earlyBidWaitMs: 60_000,
        retentionMs: 1_000,
        produceTimeoutMs: 1_000,
      },
    });
  }

  /** The object is lost from memory and comes back. */
  async restart(): Promise<void> {
    this.core = this.makeCore();
    await this.core.start();
  }

  /** Delivers the alarm as often as it is due, at most `limit` times, without letting time pass; answers how often. */
  async deliverDueAlarms(limit: number): Promise<number> {
    for (let count = 0; count < limit; count += 1) {
      if (this.storage.alarmAt === null || this.storage.alarmAt > this.clock.time) return count;
      this.storage.alarmAt = null;
      await this.core.alarm();
    }
    return limit;
  }

  /** Appends an item's listing and tells the object of it, which opens it. */
  async list(itemId: string, endsAt: number): Promise<void> {
    await this.core.push(pushOf("items", [this.log.append(listing(itemId, this.clock.time, endsAt))]));
  }

  async bid(itemId: string, bidderId: string, amount: number): Promise<LogRecord> {
    const record = this.log.append(bid(itemId, bidderId, amount, this.clock.time));
    await this.core.push(pushOf("journal", [record]));
    return record;
  }
}

function event(topic: string, type: string, itemId: string, timestamp: number, data: object): ProduceRecord {
  made += 1;
  const receivedAt = new Date(timestamp).toISOString();
  return {
    topic,
    partition: 0,
    key: itemId,
    value: JSON.stringify({ ...data, edge: { receivedAt, credential: "test" } }),
    timestamp,
    headers: [
      { key: "ce_id", value: `event-${made}` },
      { key: "ce_source", value: "/tests" },
      { key: "ce_type", value: type },
    ],
  };
}

export function listing(itemId: string, timestamp: number, endsAt: number): ProduceRecord {
  return event(topics.items, eventTypes.itemListed, itemId, timestamp, {
    itemId,
    sellerId: "seller",
    title: "A lamp",
    category: "lamps",
    currency: "EUR",
    startingPrice: 1,
    endsAt: new Date(endsAt).toISOString(),
  });
}

export function bid(itemId: string, bidderId: string, amount: number, timestamp: number): ProduceRecord {
  const data = { itemId, bidderId, amount, currency: "EUR" };
  return event(topics.journal, eventTypes.bidPlaced, itemId, timestamp, data);
}

export function pushOf(topic: PushBatch["topic"], records: readonly LogRecord[]): PushBatch {
  return {
    topic,
    offsets: records.map(({ offset }) => offset),
    timestamps: records.map(({ timestamp }) => timestamp),
    keys: records.map(({ key }) => key),
    values: records.map(({ value }) => value),
    headers: records.map(({ headers }) => encodeHeaders(headers)),
  };
}

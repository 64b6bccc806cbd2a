import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import type { PartitionStorage } from "../../../durable-objects/dependencies.ts";
import type { DrivenFunction } from "../../../durable-objects/functions/driven.ts";
import { FunctionGroupCore } from "../../../durable-objects/functions/function-group.ts";
import { defaultSettings } from "../../../src/functions/declare.ts";
import type { FunctionSettings, Invoke } from "../../../src/functions/function.ts";
import {
  type FetchAnswer,
  type KafkaLog,
  LogError,
  type LogOffset,
  type LogRecord,
  type ProduceRecord,
  type ProduceResult,
  type TopicPartition,
  type TopicPartitionOffset,
} from "../../../src/kafka/port.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { storageOver } from "../../support/sqlite-storage.ts";

const topic = "auction.notifications";
const partition = 0;

/** A log in memory, whose topics start where the test says and that can be away. */
class GroupLog implements KafkaLog {
  isAway = false;
  /** A topic that takes nothing. */
  refused = "";
  fetches = 0;
  private readonly records = new Map<string, LogRecord[]>();
  private readonly starts = new Map<string, number>();

  of(name: string): LogRecord[] {
    const records = this.records.get(name) ?? [];
    this.records.set(name, records);
    return records;
  }

  append(record: ProduceRecord): LogRecord {
    const records = this.of(record.topic);
    const logged = { ...record, offset: records.length };
    records.push(logged);
    return logged;
  }

  /** Deletes what lies before `start`. */
  truncate(name: string, start: number): void {
    this.starts.set(name, start);
  }

  async produce(records: readonly ProduceRecord[]): Promise<readonly ProduceResult[]> {
    await sleep(0);
    if (this.isAway || records.some((record) => record.topic === this.refused))
      throw new LogError("unavailable", "none", "the log is away");
    return records.map((record) => {
      const { offset, timestamp } = this.append(record);
      return { ok: true, offset, timestamp };
    });
  }

  async fetch({ topic: name, offset }: TopicPartitionOffset): Promise<FetchAnswer> {
    this.fetches += 1;
    await sleep(0);
    if (this.isAway) throw new LogError("unavailable", "none", "the log is away");
    const start = this.starts.get(name) ?? 0;
    const from = Math.max(start, offset);
    const records = this.of(name).slice(from, from + 500);
    return { records, start, next: Math.max(from, (records.at(-1)?.offset ?? -1) + 1) };
  }

  offsets(at: "earliest" | "latest", wanted: readonly TopicPartition[]): Promise<readonly LogOffset[]> {
    if (this.isAway) return Promise.reject(new LogError("unavailable", "none", "the log is away"));
    return Promise.resolve(
      wanted.map((one) => ({
        ...one,
        offset: at === "latest" ? this.of(one.topic).length : (this.starts.get(one.topic) ?? 0),
      })),
    );
  }

  topics() {
    return Promise.resolve({});
  }
}

/** One partition of a group in Node, with real timers, over a real SQLite database that outlives its objects. */
export class GroupWorld {
  readonly log = new GroupLog();
  readonly functions: DrivenFunction[] = [];
  readonly errors: string[] = [];
  rowsWritten = 0;
  /** Of all functions at a time. */
  mostCalls = 256;
  /** How often the object's alarm fired. */
  alarms = 0;
  /** Whoever keeps the functions does not answer. */
  isSourceAway = false;
  /** What is answered once instead of the functions as they are. */
  nextAnswer: Promise<readonly DrivenFunction[]> | undefined;
  core: FunctionGroupCore;
  private readonly database = new DatabaseSync(":memory:");
  private alarmAt: number | null = null;
  private alarmTimer: NodeJS.Timeout | undefined;
  /** Counts the objects: what one that is gone still does is not looked at. */
  private life = 0;

  constructor() {
    this.core = this.makeCore();
  }

  /** Adds a function. */
  add(name: string, invoke: Invoke, settings: Partial<FunctionSettings> = {}): void {
    const merged = { ...defaultSettings, ...settings };
    this.functions.push({ name, invoke, settings: merged, from: "earliest", selects: () => true });
  }

  publish(count: number, keyOf: (index: number) => string = (index) => `key-${index % 10}`): void {
    const end = this.log.of(topic).length;
    for (let index = end; index < end + count; index += 1)
      this.log.append({
        topic,
        partition,
        key: keyOf(index),
        value: JSON.stringify({ index }),
        timestamp: Date.now(),
        headers: [{ key: "ce_type", value: "test.v1" }],
      });
  }

  makeCore(): FunctionGroupCore {
    this.life += 1;
    const storage = this.storageOfLife(this.life);
    return new FunctionGroupCore(
      {
        group: "notify",
        partition,
        storage,
        log: this.log,
        clock: systemClock,
        logger: (level, event, fields) => {
          if (level !== "info") this.errors.push(`${event} ${JSON.stringify(fields ?? {})}`);
        },
        settings: {
          topicPrefix: "",
          closeGraceMs: 2_000,
          earlyBidWaitMs: 1_000,
          retentionMs: 1_000,
          produceTimeoutMs: 1_500,
        },
        handOn: () => undefined,
        random: Math.random,
        mostCalls: this.mostCalls,
        source: { functions: () => this.answerFunctions() },
      },
      { topic: "notifications", writer: "auction", functions: {} },
    );
  }

  private answerFunctions(): Promise<readonly DrivenFunction[]> {
    const { nextAnswer } = this;
    this.nextAnswer = undefined;
    if (this.isSourceAway) return Promise.reject(new Error("whoever keeps the functions is away"));
    return nextAnswer ?? Promise.resolve([...this.functions]);
  }

  /** Storage that is out of reach of an object whose time is over. */
  private storageOfLife(life: number): PartitionStorage {
    const inner = storageOver(this.database);
    const mine = (): void => {
      if (life !== this.life) throw new Error("the object is gone");
    };
    return {
      all: (statement, ...parameters) => {
        mine();
        return inner.all(statement, ...parameters);
      },
      run: (statement, ...parameters) => {
        mine();
        if (/^\s*(INSERT|UPDATE|DELETE)/.test(statement)) this.rowsWritten += 1;
        inner.run(statement, ...parameters);
      },
      transaction: (body) => {
        mine();
        return inner.transaction(body);
      },
      sync: () => Promise.resolve(),
      setAlarm: (at) => {
        if (life === this.life) this.setAlarm(at);
        return Promise.resolve();
      },
      getAlarm: () => Promise.resolve(this.alarmAt),
    };
  }

  private setAlarm(at: number): void {
    this.alarmAt = at;
    clearTimeout(this.alarmTimer);
    this.alarmTimer = setTimeout(
      () => {
        this.alarmAt = null;
        this.alarms += 1;
        void this.core.alarm().catch(() => undefined);
      },
      Math.max(0, at - Date.now()),
    );
  }

  /** The object ends, whatever it was doing, and comes up again. */
  async restart(): Promise<void> {
    this.core = this.makeCore();
    await this.core.start();
  }

  async start(): Promise<void> {
    await this.core.start();
  }

  stop(): void {
    this.life += 1;
    clearTimeout(this.alarmTimer);
  }

  /** As a ledger of before there was a trail. */
  forgetTrail(): void {
    this.database.exec(`UPDATE deliveries SET trail = ''; DELETE FROM trail_pages`);
  }

  rows(table: string): number {
    return (
      storageOver(this.database).all<{ count: number }>(`SELECT count(*) AS count FROM ${table}`)[0]?.count ??
      0
    );
  }

  /** Waits until something holds, looking often. */
  async until(what: string, holds: () => Promise<boolean> | boolean, withinMs = 10_000): Promise<void> {
    const end = Date.now() + withinMs;
    while (!(await holds())) {
      if (Date.now() > end)
        throw new Error(
          `${what} did not come about: ${JSON.stringify(await this.core.functionGroupStatus())} ${this.errors.slice(-5).join("\n")}`,
        );
      await sleep(5);
    }
  }
}

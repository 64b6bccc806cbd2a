import type { KafkaLog, ProduceRecord, ProduceResult } from "../src/kafka/port.ts";
import type { LiveItem } from "../src/live/item.ts";
import type { Clock } from "../src/lib/clock.ts";
import type { Logger } from "../src/lib/log.ts";
import type { Spans } from "../src/lib/spans.ts";
import type { TopicRole } from "../src/topics.ts";
import type { DeliverAnswer } from "./feed/rpc.ts";

export type SqlValue = string | number | null | ArrayBuffer;
export type SqlRow = Record<string, SqlValue>;

/** The synchronous SQLite of a Durable Object, or of `node:sqlite` in tests without a runtime. */
export interface PartitionStorage {
  /** Runs one statement and answers its rows. */
  all<Row extends SqlRow>(statement: string, ...parameters: SqlValue[]): Row[];
  /** Runs one statement for its effect. */
  run(statement: string, ...parameters: SqlValue[]): void;
  /** Runs `body` in one transaction: all of it or, when it throws, nothing. */
  transaction<Result>(body: () => Result): Result;
  /** Resolves when everything that was written up to now is on disk. */
  sync(): Promise<void>;
  /** Sets the object's one alarm (milliseconds since the epoch); a later call replaces it. */
  setAlarm(at: number): Promise<void>;
  /** When the alarm is due, or null. */
  getAlarm(): Promise<number | null>;
}

export interface PartitionSettings {
  /** In front of each topic's name. */
  readonly topicPrefix: string;
  readonly closeGraceMs: number;
  readonly earlyBidWaitMs: number;
  readonly retentionMs: number;
  readonly produceTimeoutMs: number;
}

/** Everything that a partition touches outside itself. */
export interface PartitionDependencies {
  readonly group: string;
  readonly partition: number;
  readonly storage: PartitionStorage;
  readonly log: KafkaLog;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly settings: PartitionSettings;
  /** Hands records that this partition has appended to those who read their topic. */
  readonly handOn: HandOn;
  /** Tells a feed, by its object's name, the latest states of items that it follows. Absent: nobody does. */
  readonly deliver?: (feed: string, items: readonly LiveItem[]) => Promise<DeliverAnswer>;
  /** Absent: none are recorded. */
  readonly spans?: Spans;
}

/** Records with the places that the log gave them, in order. Costs latency and no event where it fails. */
export type HandOn = (
  topic: TopicRole,
  records: readonly ProduceRecord[],
  places: readonly AppendedPlace[],
) => void;

export type AppendedPlace = Extract<ProduceResult, { ok: true }>;

import { DatabaseSync } from "node:sqlite";
import { analyses, type AnalysisName } from "../../../src/analyses/registry.ts";
import type { FetchAnswer, LogRecord, ProduceRecord, TopicPartitionOffset } from "../../../src/kafka/port.ts";
import type { PartitionStorage, SqlRow, SqlValue } from "../../../durable-objects/dependencies.ts";
import { ReplayConclusion } from "../../../durable-objects/replays/conclusion.ts";
import { ReplayPart } from "../../../durable-objects/replays/part.ts";
import type { ReadAnswer } from "../../../durable-objects/replays/rpc.ts";
import { topics } from "../../../src/topics.ts";
import { storageOver } from "../../support/sqlite-storage.ts";
import { HandClock, MemoryLog } from "../partition/core-world.ts";

/** A log of several partitions that tells its start and where to read on, as the bridge does. */
export class StretchLog extends MemoryLog {
  /** The first offset that is still there, of every partition. */
  startsAt = 0;
  /** Records of one answer. */
  mostRecords = 500;
  /** Fetches that fail before one succeeds. */
  failures = 0;
  /** Whether it tells what the bridge tells beyond Upstash's protocol. */
  tells = true;
  topicId: string | undefined;

  override append(record: ProduceRecord): LogRecord {
    const records = this.topic(nameOf(record));
    const logged = { ...record, offset: records.length };
    records.push(logged);
    return logged;
  }

  override fetch({ topic, partition, offset }: TopicPartitionOffset): Promise<FetchAnswer> {
    this.isAway = this.failures > 0;
    if (this.failures > 0) this.failures -= 1;
    const asked = { topic: nameOf({ topic, partition }), partition, offset: Math.max(offset, this.startsAt) };
    return super.fetch(asked).then(({ records: all }) => {
      const records = all.slice(0, this.mostRecords);
      return {
        records,
        ...(this.tells
          ? { start: this.startsAt, next: Math.max(asked.offset, (records.at(-1)?.offset ?? -1) + 1) }
          : {}),
        ...(this.topicId === undefined ? {} : { topicId: this.topicId }),
      };
    });
  }

  override offsets(
    at: "earliest" | "latest" | number,
    partitions: readonly { topic: string; partition: number }[],
  ) {
    return Promise.resolve(
      partitions.map((one) => {
        const records = this.topic(nameOf(one));
        const first = at === "earliest" ? this.startsAt : records.length;
        const found = typeof at === "number" ? records.findIndex(({ timestamp }) => timestamp >= at) : first;
        return { ...one, offset: found === -1 ? records.length : found };
      }),
    );
  }
}

function nameOf({ topic, partition }: { readonly topic: string; readonly partition: number }): string {
  return `${topic}/${partition}`;
}

/** A storage whose statements fail from one on, as when the object ends there. */
class MortalStorage implements PartitionStorage {
  left = Number.POSITIVE_INFINITY;
  private readonly inner: PartitionStorage;

  constructor(database: DatabaseSync) {
    this.inner = storageOver(database);
  }

  private step(): void {
    this.left -= 1;
    if (this.left < 0) throw new Error("the object ended");
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

  sync = () => Promise.resolve();
  setAlarm = () => Promise.resolve();
  getAlarm = () => Promise.resolve(null);
}

interface Asked {
  readonly analysis: AnalysisName;
  readonly parameters?: object;
  readonly topic?: string;
  readonly from?: number;
  /** Of every partition; the end where absent. */
  readonly to?: number;
}

/** The objects of one replay over real SQLite databases: they can end at any statement and come back. */
export class ReplayWorld {
  readonly clock = new HandClock();
  readonly log: StretchLog;
  readonly partitions: number;
  private readonly databases = new Map<string, DatabaseSync>();
  private readonly parts = new Map<number, ReplayPart>();
  private concluding: ReplayConclusion | undefined;
  /** Statements that each object made from now on may run. */
  statementsLeft = Number.POSITIVE_INFINITY;
  /** How often an object ended. */
  ends = 0;

  constructor(partitions: number, log = new StretchLog()) {
    this.partitions = partitions;
    this.log = log;
  }

  private storage(name: string): PartitionStorage {
    const database = this.databases.get(name) ?? new DatabaseSync(":memory:");
    this.databases.set(name, database);
    const storage = new MortalStorage(database);
    storage.left = this.statementsLeft;
    return storage;
  }

  part(partition: number): ReplayPart {
    const { clock, log } = this;
    const deleteAll = () => Promise.resolve(void this.databases.delete(String(partition)));
    const made = () => new ReplayPart({ storage: this.storage(String(partition)), deleteAll, log, clock });
    const part = this.parts.get(partition) ?? made();
    this.parts.set(partition, part);
    return part;
  }

  private conclusion(): ReplayConclusion {
    const deleteAll = () => Promise.resolve();
    const stateOf = (partition: number) => this.part(partition).state();
    return (this.concluding ??= new ReplayConclusion({
      storage: this.storage("result"),
      deleteAll,
      clock: this.clock,
      stateOf,
    }));
  }

  /** One slice of one partition; what was asked last is asked again by `run`. */
  read(partition: number, asked: Asked, milliseconds = 0): Promise<ReadAnswer> {
    const topic = asked.topic ?? topics.journal;
    const end = this.log.topic(`${topic}/${partition}`).length;
    const { analysis, from = 0, to = end } = asked;
    const parameters = parametersOf(asked);
    const bytes = Number.POSITIVE_INFINITY;
    return this.part(partition).read({
      analysis,
      parameters,
      topic,
      partition,
      from,
      to,
      milliseconds,
      bytes,
    });
  }

  /** Reads everything, slice by slice, and answers the result; an object that ends comes back. */
  async run<Result = unknown>(asked: Asked): Promise<Result> {
    for (let partition = 0; partition < this.partitions; partition += 1) {
      for (let isOver = false; !isOver;) {
        const answer = await this.survive(
          () => this.read(partition, asked),
          () => this.parts.delete(partition),
        );
        if (answer?.kind === "failed") throw new Error(answer.failure.detail);
        isOver = answer !== undefined && answer.progress.position >= answer.progress.to;
      }
    }
    const order = {
      analysis: asked.analysis,
      parameters: parametersOf(asked),
      partitions: Array.from({ length: this.partitions }, (_, partition) => partition),
    };
    for (;;) {
      const answer = await this.survive(
        () => this.conclusion().conclude(order),
        () => {
          this.concluding = undefined;
          this.parts.clear();
        },
      );
      if (answer?.kind === "failed") throw new Error(answer.failure.detail);
      if (answer?.kind === "done") return JSON.parse(answer.result) as Result;
    }
  }

  private async survive<Answer>(call: () => Promise<Answer>, lose: () => void): Promise<Answer | undefined> {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof Error) || error.message !== "the object ended") throw error;
      this.ends += 1;
      // It gets a little further each time, as the platform would let it.
      this.statementsLeft += 1;
      lose();
      return undefined;
    }
  }
}

function parametersOf({ analysis, parameters }: Asked): unknown {
  return analyses[analysis].parameters.parse(parameters ?? {});
}

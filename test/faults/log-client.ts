/**
 * The log's port as one life of the object reaches it: with latency, refusals, time-outs whose
 * effect is unknown, and appends that land when nobody expects them any more.
 */
import { LogError } from "../../src/kafka/port.ts";
import type {
  FetchAnswer,
  KafkaLog,
  LogOffset,
  LogRecord,
  ProduceRecord,
  ProduceResult,
  TopicPartition,
  TopicPartitionOffset,
} from "../../src/kafka/port.ts";
import type { Faults } from "./faults.ts";
import type { Life } from "./life.ts";
import { partition } from "./memory-log.ts";
import type { MemoryLog } from "./memory-log.ts";
import type { ProduceHistory } from "./produce-history.ts";
import type { Scheduler } from "./scheduler.ts";

export interface World {
  readonly scheduler: Scheduler;
  readonly log: MemoryLog;
  readonly faults: Faults;
  readonly history: ProduceHistory;
}

const fates = [
  "produce refused",
  "produce failed in part",
  "produce timed out without effect",
  "produce timed out after effect",
  "produce timed out after part of its effect",
  "produce landed after its time-out",
] as const;
/** How often each is drawn: what lands late is what a relay's and a downstream's dedupe is for. */
const weighted = fates.flatMap((fate) =>
  fate === "produce landed after its time-out" ? [fate, fate, fate, fate] : [fate],
);
type Fate = (typeof fates)[number] | "acknowledged";

/** How many of a request's records, counted per topic, get into the log. */
type Kept = (records: readonly ProduceRecord[]) => ReadonlySet<ProduceRecord>;

/** Tells the caller after a delay, unless the deadline came first. */
type Answer = (
  delay: number,
  tell: (resolve: (results: readonly ProduceResult[]) => void, reject: (error: Error) => void) => void,
) => void;

export class LogClient implements KafkaLog {
  readonly #world: World;
  readonly #life: Life;

  constructor(world: World, life: Life) {
    this.#world = world;
    this.#life = life;
  }

  produce(records: readonly ProduceRecord[], deadline: number): Promise<readonly ProduceResult[]> {
    const { history, scheduler } = this.#world;
    const answered = history.begin(records, this.#life);
    return this.#life.wait((resolve, reject) => {
      const fate = this.#drawFate();
      let isAnswered = false;
      const answer = (delay: number, tell: () => void): void =>
        scheduler.after(delay, () => {
          if (isAnswered) return;
          isAnswered = true;
          tell();
        });
      // Whatever else is on its way, the deadline is an answer.
      answer(deadline - scheduler.now, () => {
        answered(false);
        reject(new LogError("timeout", "unknown", "the deadline passed"));
      });
      this.#meet(fate, records, deadline, (delay, tell) =>
        answer(delay, () => {
          answered(fate === "acknowledged");
          tell(resolve, reject);
        }),
      );
    });
  }

  fetch(from: TopicPartitionOffset, deadline: number): Promise<FetchAnswer> {
    const { log, faults } = this.#world;
    return this.#read(deadline, ["fetch failed", "fetch timed out"], () =>
      log.read(from.topic, from.offset, faults.on ? faults.random.integer(1, 60) : 500),
    );
  }

  offsets(
    at: "earliest" | "latest",
    partitions: readonly TopicPartition[],
    deadline: number,
  ): Promise<readonly LogOffset[]> {
    const { log } = this.#world;
    return this.#read(deadline, ["offsets failed", "offsets failed"], () =>
      partitions.map(({ topic }) => {
        const offset = at === "earliest" ? log.start(topic) : this.#endOf(topic);
        return { topic, partition, offset, ...this.#idOf(topic) };
      }),
    );
  }

  /** A new leader may not know yet how far its log may be read. */
  #endOf(topic: string): number {
    const { log, faults } = this.#world;
    const end = log.end(topic);
    if (end === log.start(topic) || !faults.chance("lag")) return end;
    faults.count("end told too early");
    return Math.max(log.start(topic), end - faults.random.integer(1, 5));
  }

  #idOf(topic: string): { readonly topicId?: string } {
    const { log } = this.#world;
    return log.tells ? { topicId: log.id(topic) } : {};
  }

  topics(deadline: number): Promise<Readonly<Record<string, number>>> {
    return this.#read(deadline, ["offsets failed", "offsets failed"], () => ({}));
  }

  #drawFate(): Fate {
    const { faults } = this.#world;
    return faults.chance("produce") ? faults.random.pick(weighted) : "acknowledged";
  }

  #meet(fate: Fate, records: readonly ProduceRecord[], deadline: number, answer: Answer): void {
    const { faults, scheduler } = this.#world;
    const { latency } = faults.plan;
    const way = faults.random.delay(latency);
    const back = faults.random.delay(latency);
    const untilDeadline = deadline - scheduler.now;
    const land = (delay: number, kept: Kept): void =>
      scheduler.after(delay, () => void this.#arrive(records, kept));
    if (fate !== "acknowledged") faults.count(fate);
    switch (fate) {
      case "acknowledged":
        return this.#landAndTell(records, everything, way, back, answer);
      case "produce failed in part":
        return this.#landAndTell(records, this.#prefix, way, back, answer);
      case "produce refused":
        return answer(way + back, (_resolve, reject) =>
          reject(new LogError("unavailable", "none", "try again")),
        );
      case "produce timed out without effect":
        return;
      case "produce timed out after effect":
        return land(Math.min(way, untilDeadline), everything);
      case "produce timed out after part of its effect":
        return land(Math.min(way, untilDeadline), this.#prefix);
      case "produce landed after its time-out": {
        const kept = faults.random.pick([everything, this.#prefix]);
        return land(untilDeadline + faults.random.delay(4_000), kept);
      }
    }
  }

  #landAndTell(
    records: readonly ProduceRecord[],
    kept: Kept,
    way: number,
    back: number,
    answer: Answer,
  ): void {
    this.#world.scheduler.after(way, () => {
      const appended = this.#arrive(records, kept);
      const results = records.map((record): ProduceResult => {
        const { offset, timestamp } = appended.get(record) ?? {};
        if (offset !== undefined && timestamp !== undefined) {
          return { ok: true, offset, timestamp, ...this.#idOf(record.topic) };
        }
        return { ok: false, error: new LogError("unavailable", "none", "not appended") };
      });
      answer(back, (resolve) => resolve(results));
    });
  }

  #append(records: readonly ProduceRecord[], kept: Kept): ReadonlyMap<ProduceRecord, LogRecord> {
    const { log, faults } = this.#world;
    const appended = new Map<ProduceRecord, LogRecord>();
    const keep = kept(records);
    for (const record of records) {
      if (!keep.has(record)) continue;
      if (faults.chance("gap")) {
        faults.count("gap in offsets");
        log.skip(record.topic, faults.random.integer(1, 3));
      }
      for (const logged of log.append([record])) appended.set(record, logged);
    }
    return appended;
  }

  /** A request that was on its way when its sender died arrives, or much later, or never. */
  #arrive(records: readonly ProduceRecord[], kept: Kept): ReadonlyMap<ProduceRecord, LogRecord> {
    const { faults, scheduler } = this.#world;
    if (this.#life.alive) return this.#append(records, kept);
    if (faults.random.chance(0.4)) {
      faults.count("produce lost in a crash");
      return new Map();
    }
    faults.count("produce landed after a crash");
    scheduler.after(faults.random.delay(1_000), () => void this.#append(records, kept));
    return new Map();
  }

  /** Keeps what the log promises of a failure: of each topic, a prefix. */
  readonly #prefix: Kept = (records) => {
    const kept = new Set<ProduceRecord>();
    for (const topic of new Set(records.map((record) => record.topic))) {
      const own = records.filter((record) => record.topic === topic);
      const length = this.#world.faults.random.integer(0, own.length - 1);
      for (const record of own.slice(0, length)) kept.add(record);
    }
    return kept;
  };

  #read<Result>(
    deadline: number,
    [failed, timedOut]: readonly ["fetch failed" | "offsets failed", "fetch timed out" | "offsets failed"],
    answer: () => Result,
  ): Promise<Result> {
    const { scheduler, faults } = this.#world;
    const untilDeadline = deadline - scheduler.now;
    return this.#life.wait((resolve, reject) => {
      const timeOut = (): void => reject(new LogError("timeout", "none", "the deadline passed"));
      const way = faults.random.delay(faults.plan.latency);
      const back = faults.random.delay(faults.plan.latency);
      if (faults.chance("fetch")) {
        const hangs = faults.random.chance(0.5);
        faults.count(hangs ? timedOut : failed);
        if (hangs) return scheduler.after(untilDeadline, timeOut);
        return scheduler.after(way, () => reject(new LogError("unavailable", "none", "away")));
      }
      if (way + back > untilDeadline) return scheduler.after(untilDeadline, timeOut);
      // Read on arrival and told later: what was appended in between is not in the answer.
      return scheduler.after(way, () => {
        const result = answer();
        scheduler.after(back, () => resolve(result));
      });
    });
  }
}

const everything: Kept = (records) => new Set(records);

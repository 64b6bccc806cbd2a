import { type Analysis, AnalysisError } from "../../src/analyses/analysis.ts";
import { analyses } from "../../src/analyses/registry.ts";
import { type FetchAnswer, type KafkaLog, LogError, type LogRecord } from "../../src/kafka/port.ts";
import type { Clock } from "../../src/lib/clock.ts";
import { describeError } from "../../src/lib/log.ts";
import type { PartitionStorage } from "../dependencies.ts";
import { migrate } from "../storage/migrations.ts";
import { type Fold, foldOf } from "./fold.ts";
import { pieceRecords, restMs } from "./pace.ts";
import type { ReadAnswer, ReadOrder, ReadProgress, ReplayPartRpc } from "./rpc.ts";
import { partMigrations } from "./schema.ts";
import { encodeState, ReplayError } from "./state-text.ts";
import { StoredTexts } from "./stored-text.ts";
import { Turns } from "./turns.ts";

const fetchTimeoutMs = 10_000;

export interface PartDependencies {
  readonly storage: PartitionStorage;
  /** Deletes everything that is stored. */
  readonly deleteAll: () => Promise<void>;
  readonly log: KafkaLog;
  readonly clock: Clock;
}

interface Progress extends ReadProgress {
  /** Which topic the position is of, where the log tells. */
  readonly topicId?: string;
}

interface Loaded {
  readonly texts: StoredTexts;
  readonly analysis: Analysis;
  readonly state: unknown;
  readonly fold: Fold;
  progress: Progress;
}

/**
 * Reads one partition's stretch for one replay: at a position of its own, by fetches alone. What an
 * answer of the log brings is applied piece by piece, each in one transaction with the position behind
 * it, so that a crash at any moment loses nothing and counts nothing twice.
 */
export class ReplayPart implements ReplayPartRpc {
  private readonly dependencies: PartDependencies;
  private readonly turns = new Turns();
  private loaded: Loaded | undefined;

  constructor(dependencies: PartDependencies) {
    this.dependencies = dependencies;
  }

  read(order: ReadOrder): Promise<ReadAnswer> {
    return this.turns.take(() => this.readSlice(order));
  }

  state(): Promise<string | null> {
    return this.turns.take(() => {
      const { storage } = this.dependencies;
      // Asked of an object that was emptied, or never read, it leaves nothing behind either.
      const isThere = storage.all(`SELECT 1 FROM sqlite_master WHERE name = 'texts'`).length > 0;
      return Promise.resolve(isThere ? (new StoredTexts(storage).read("state") ?? null) : null);
    });
  }

  discard(): Promise<void> {
    return this.turns.take(async () => {
      this.loaded = undefined;
      await this.dependencies.deleteAll();
    });
  }

  private async readSlice(order: ReadOrder): Promise<ReadAnswer> {
    const { clock } = this.dependencies;
    const end = clock.now() + order.milliseconds;
    try {
      const loaded = this.load(order);
      const enough = loaded.progress.bytes + order.bytes;
      while (loaded.progress.position < order.to) {
        if (!(await this.readOn(loaded, order)))
          return this.waits(loaded, "the log has nothing to read for now at the position");
        if (clock.now() >= end || loaded.progress.bytes >= enough) break;
      }
      return { kind: "read", progress: shown(loaded.progress) };
    } catch (error) {
      if (error instanceof LogError && this.loaded !== undefined)
        return this.waits(this.loaded, describeError(error));
      // Memory may be ahead of what was rolled back; whoever asks next reads it again.
      this.loaded = undefined;
      if (error instanceof AnalysisError)
        return { kind: "failed", failure: { code: "analysis", detail: error.message } };
      if (error instanceof ReplayError) return { kind: "failed", failure: error.failure };
      throw error;
    }
  }

  private waits({ progress }: Loaded, reason: string): ReadAnswer {
    return { kind: "waits", progress: shown(progress), reason };
  }

  private load(order: ReadOrder): Loaded {
    if (this.loaded !== undefined) return this.loaded;
    const { storage } = this.dependencies;
    migrate(storage, partMigrations);
    const texts = new StoredTexts(storage);
    const analysis = analyses[order.analysis];
    const text = texts.read("state");
    const state: unknown = text === undefined ? analysis.start(order.parameters) : JSON.parse(text);
    const [row] = storage.all<{ progress: string }>(`SELECT progress FROM replay_progress`);
    const progress = row === undefined ? startOf(order) : (JSON.parse(row.progress) as Progress);
    const fold = foldOf(analysis, state, order, storage);
    return (this.loaded = { texts, analysis, state, fold, progress });
  }

  /** One fetch and what it brings; false where there is nothing to read for now. */
  private async readOn(loaded: Loaded, order: ReadOrder): Promise<boolean> {
    const { clock, log } = this.dependencies;
    const { topic, partition, to } = order;
    const { position } = loaded.progress;
    const answer = await log.fetch({ topic, partition, offset: position }, clock.now() + fetchTimeoutMs);
    requireSameTopic(loaded.progress.topicId, answer.topicId);
    const start = Math.min(to, Math.max(position, await this.startOf(answer, order, position)));
    // A log may answer the whole batch that the position lies in, and what is behind the stretch.
    const run = answer.records.filter(({ offset }) => offset >= start && offset < to);
    const told = Math.max(start, (answer.records.at(-1)?.offset ?? -1) + 1, answer.next ?? 0);
    // The log's end lay at `to` or behind it when the replay was asked for. A log that does not tell
    // where to read on, and has no record, has none there: only markers, or what compaction took.
    const isOver = answer.next === undefined && answer.records.length === 0;
    const next = isOver ? to : Math.min(to, told);
    if (next === position) return false;
    const ofTopic = answer.topicId === undefined ? {} : { topicId: answer.topicId };
    const lostOffsets = loaded.progress.lostOffsets + (start - position);
    await this.apply(loaded, run, next, { lostOffsets, ...ofTopic });
    return true;
  }

  /** Takes a run piece by piece, the last with the move to `next`, and rests behind each. */
  private async apply(
    loaded: Loaded,
    run: readonly LogRecord[],
    next: number,
    found: Pick<Progress, "lostOffsets" | "topicId">,
  ): Promise<void> {
    for (let first = 0; first === 0 || first < run.length; first += pieceRecords) {
      const piece = run.slice(first, first + pieceRecords);
      const following = run[first + pieceRecords];
      const { progress } = loaded;
      this.commit(loaded, piece, {
        ...progress,
        ...found,
        position: following?.offset ?? next,
        records: progress.records + piece.length,
        bytes: progress.bytes + piece.reduce((sum, record) => sum + bytesOf(record), 0),
      });
      await this.dependencies.clock.sleep(restMs);
    }
  }

  /** State and position in one transaction, or nothing of them. */
  private commit(loaded: Loaded, run: readonly LogRecord[], progress: Progress): void {
    const { storage } = this.dependencies;
    storage.transaction(() => {
      loaded.fold.take(run);
      loaded.texts.write("state", encodeState(loaded.state));
      storage.run(
        `INSERT INTO replay_progress (id, progress) VALUES (1, ?)
           ON CONFLICT DO UPDATE SET progress = excluded.progress`,
        JSON.stringify(progress),
      );
    });
    loaded.progress = progress;
  }

  /**
   * The log's first offset, as far as it matters here. A log that does not tell it is asked where a
   * record lies above the position, so that what was deleted is not taken for what never was.
   */
  private async startOf(
    { records, start }: FetchAnswer,
    order: ReadOrder,
    position: number,
  ): Promise<number> {
    const first = records[0]?.offset ?? position;
    if (start !== undefined || first <= position) return start ?? 0;
    const { clock, log } = this.dependencies;
    const { topic, partition } = order;
    const [earliest] = await log.offsets("earliest", [{ topic, partition }], clock.now() + fetchTimeoutMs);
    return Math.min(earliest?.offset ?? 0, first);
  }
}

function startOf({ partition, from, to }: ReadOrder): Progress {
  return { partition, from, to, position: from, records: 0, bytes: 0, lostOffsets: 0 };
}

function shown(progress: Progress): ReadProgress {
  const { topicId: _, ...told } = progress;
  return told;
}

/** A position in a topic that was deleted and made again means nothing. */
function requireSameTopic(known: string | undefined, found: string | undefined): void {
  if (known === undefined || found === undefined || known === found) return;
  throw new ReplayError({
    code: "topic-replaced",
    detail: "The topic was deleted and made again while it was read",
  });
}

const encoder = new TextEncoder();

function bytesOf({ key, value, headers }: LogRecord): number {
  const inHeaders = headers.reduce((sum, header) => sum + header.key.length + header.value.length, 0);
  return encoder.encode(value).length + encoder.encode(key).length + inHeaders;
}

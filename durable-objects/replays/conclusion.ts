import { type Analysis, AnalysisError, type Work } from "../../src/analyses/analysis.ts";
import { analyses } from "../../src/analyses/registry.ts";
import type { ConclusionProgress } from "../../src/replays/replay.ts";
import type { PartitionStorage } from "../dependencies.ts";
import type { Clock } from "../../src/lib/clock.ts";
import { migrate } from "../storage/migrations.ts";
import { piecesPerWrite, restMs } from "./pace.ts";
import type { ConclusionAnswer, ConclusionOrder, ReplayConclusionRpc } from "./rpc.ts";
import { conclusionMigrations } from "./schema.ts";
import { encodeState, ReplayError } from "./state-text.ts";
import { StoredTexts } from "./stored-text.ts";
import { Turns } from "./turns.ts";

export interface ConclusionDependencies {
  readonly storage: PartitionStorage;
  /** Deletes everything that is stored. */
  readonly deleteAll: () => Promise<void>;
  readonly clock: Clock;
  /** What the part that read a partition has. */
  readonly stateOf: (partition: number) => Promise<string | null>;
}

type Progress = Omit<ConclusionProgress, "waiting">;

interface Loaded {
  readonly analysis: Analysis;
  readonly state: unknown;
  readonly progress: Progress;
  /** What is left to compute; made once everything is merged. */
  readonly work?: Work | undefined;
}

/**
 * Merges what the parts of a replay have, a partition a slice, then does what work the analysis has,
 * in slices of bounded size, and makes the result. How far it is and what it has are written in one
 * transaction a slice.
 */
export class ReplayConclusion implements ReplayConclusionRpc {
  private readonly dependencies: ConclusionDependencies;
  private readonly turns = new Turns();
  private loaded: Loaded | undefined;

  constructor(dependencies: ConclusionDependencies) {
    this.dependencies = dependencies;
  }

  conclude(order: ConclusionOrder): Promise<ConclusionAnswer> {
    return this.turns.take(async () => {
      try {
        return await this.concludeSlice(order);
      } catch (error) {
        // Memory may be ahead of what was written; whoever asks next reads it again.
        this.loaded = undefined;
        if (error instanceof AnalysisError)
          return { kind: "failed", failure: { code: "analysis", detail: error.message } };
        if (error instanceof ReplayError) return { kind: "failed", failure: error.failure };
        throw error;
      }
    });
  }

  discard(): Promise<void> {
    return this.turns.take(() => {
      this.loaded = undefined;
      return this.dependencies.deleteAll();
    });
  }

  private async concludeSlice(order: ConclusionOrder): Promise<ConclusionAnswer> {
    const { parameters, partitions } = order;
    const loaded = this.load(order);
    const { analysis, state, progress } = loaded;
    const partition = partitions[progress.merged];
    if (partition !== undefined) return this.merge(loaded, partition, parameters);
    const work = loaded.work ?? analysis.work?.(state, parameters);
    if (work === undefined || progress.step >= work.steps)
      return { kind: "done", progress, result: encodeState(analysis.result(state, parameters)) };
    const step = await this.runSteps(work, progress.step);
    return this.write({ ...loaded, work, progress: { ...progress, step, steps: work.steps } });
  }

  private load({ analysis: name, parameters }: ConclusionOrder): Loaded {
    if (this.loaded !== undefined) return this.loaded;
    const { storage } = this.dependencies;
    migrate(storage, conclusionMigrations);
    const analysis = analyses[name];
    const text = new StoredTexts(storage).read("state");
    const state: unknown = text === undefined ? analysis.start(parameters) : JSON.parse(text);
    const [row] = storage.all<{ progress: string }>(`SELECT progress FROM replay_progress`);
    const progress =
      row === undefined ? { merged: 0, step: 0, steps: 0 } : (JSON.parse(row.progress) as Progress);
    return (this.loaded = { analysis, state, progress });
  }

  private async merge(loaded: Loaded, partition: number, parameters: unknown): Promise<ConclusionAnswer> {
    const { clock, stateOf } = this.dependencies;
    const { analysis, progress } = loaded;
    const text = await stateOf(partition);
    if (text === null) throw new Error(`partition ${partition} was read and has nothing`);
    const state = analysis.merge(loaded.state, JSON.parse(text), parameters);
    const answer = this.write({ ...loaded, state, progress: { ...progress, merged: progress.merged + 1 } });
    await clock.sleep(restMs);
    return answer;
  }

  /** Makes the steps of one slice, in pieces; answers the step behind them. */
  private async runSteps({ steps, stepsAtOnce, run }: Work, first: number): Promise<number> {
    let step = first;
    for (let piece = 0; piece < piecesPerWrite && step < steps; piece += 1) {
      for (const end = Math.min(steps, step + stepsAtOnce); step < end; step += 1) run(step);
      await this.dependencies.clock.sleep(restMs);
    }
    return step;
  }

  private write(loaded: Loaded): ConclusionAnswer {
    const { storage } = this.dependencies;
    storage.transaction(() => {
      new StoredTexts(storage).write("state", encodeState(loaded.state));
      storage.run(
        `INSERT OR REPLACE INTO replay_progress (id, progress) VALUES (1, ?)`,
        JSON.stringify(loaded.progress),
      );
    });
    this.loaded = loaded;
    return { kind: "goes-on", progress: loaded.progress };
  }
}

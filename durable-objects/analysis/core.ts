import type { Database } from "../../src/database.ts";
import { MarketRun } from "../../src/functions/market-analysis/run.ts";
import { analysisIdOf, type AuctionSet } from "../../src/functions/market-analysis/sets.ts";
import { countSets } from "../../src/functions/market-analysis/set-statements.ts";
import { storeResult } from "../../src/functions/market-analysis/statements.ts";
import type { Clock } from "../../src/lib/clock.ts";
import { describeError, type Logger } from "../../src/lib/log.ts";
import type { PartitionStorage } from "../dependencies.ts";
import type { AnalysisRpc, RunStatus } from "./rpc.ts";
import { type AnalysisState, AnalysisStore } from "./store.ts";

export interface AnalysisSettings {
  /** Rows of one slice. */
  readonly sliceRows: number;
  /** How long one alarm goes on; the next one follows at once. All times are in milliseconds. */
  readonly alarmMs: number;
  /** How long a run waits after it is asked for, so that one does for many who ask. */
  readonly gatherMs: number;
  /** From the end of a run to the next one at least. */
  readonly restMs: number;
  /**
   * The part of the database's time that all analyses of a category may have together: so much longer
   * than it took a run rests.
   */
  readonly share: number;
}

export const analysisSettings: AnalysisSettings = {
  sliceRows: 1_000,
  alarmMs: 10_000,
  gatherMs: 2_000,
  restMs: 10_000,
  share: 0.1,
};

/** Of what failed: the first wait and the longest. */
const firstRetryMs = 1_000;
const longestRetryMs = 60_000;

export interface AnalysisDependencies {
  readonly set: AuctionSet;
  readonly storage: PartitionStorage;
  readonly database: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly settings: AnalysisSettings;
}

/**
 * One set's analysis: at most one run at a time, and one more behind it where somebody asked
 * meanwhile. A run goes on by the object's alarm.
 *
 * Order: that a run is asked for is taken back in the transaction that begins one, which then reads
 * everything that was there when it was asked for. Each slice's counts are stored with the place
 * behind it, so that after a crash a slice is read again whole or not at all. The result is one row,
 * put in the place of the former one before the run is forgotten: it may be written twice, and is the
 * same.
 */
export class AnalysisCore implements AnalysisRpc {
  private readonly dependencies: AnalysisDependencies;
  private readonly store: AnalysisStore;
  private state: AnalysisState;
  /** When the alarm is set for. */
  private alarmAt: number | null = null;
  private isWorking = false;
  private failures = 0;
  private retryAt = 0;
  /** How long the database took for the run since a restart. */
  private busyMs = 0;

  /** Makes or migrates the tables. */
  constructor(dependencies: AnalysisDependencies) {
    this.dependencies = dependencies;
    this.store = new AnalysisStore(dependencies.storage);
    this.state = this.store.read(dependencies.set);
  }

  /** Sees to it that what is under way goes on; before any other call. */
  async start(): Promise<void> {
    this.alarmAt = await this.dependencies.storage.getAlarm();
    await this.arm();
  }

  async request(): Promise<void> {
    if (!this.state.isRequested) {
      this.write({ ...this.state, isRequested: true });
    }
    await this.arm();
  }

  runStatus(): Promise<RunStatus> {
    const { isRequested, run } = this.state;
    if (run === null) return Promise.resolve({ status: isRequested ? "waiting" : "idle" });
    const { startedAt, slices } = run;
    return Promise.resolve({ status: "running", startedAt, slices });
  }

  /** The object's alarm. Whatever fails is tried again by the next one. */
  async alarm(): Promise<void> {
    this.alarmAt = null;
    this.isWorking = true;
    try {
      await this.goOn();
      this.failures = 0;
    } catch (error) {
      this.fail(error);
    } finally {
      this.isWorking = false;
      await this.arm();
    }
  }

  private async goOn(): Promise<void> {
    const { clock, settings, set } = this.dependencies;
    const startedAt = clock.now();
    if (this.state.run === null) {
      if (!this.state.isRequested || startedAt < this.state.notBefore) return;
      this.write({ ...this.state, isRequested: false, run: MarketRun.begin(set, startedAt) });
      this.busyMs = 0;
    }
    do await this.step();
    while (this.state.run !== null && clock.now() < startedAt + settings.alarmMs);
  }

  private async step(): Promise<void> {
    const { clock, database, settings } = this.dependencies;
    const { run } = this.state;
    if (run === null) return;
    const statement = run.next(settings.sliceRows);
    if (statement === null) return this.finish(run);
    const rows = await this.timed(() => database.query(statement));
    const touched = run.take(rows, settings.sliceRows, clock.now());
    this.write(this.state, touched);
  }

  private async timed<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    const { clock } = this.dependencies;
    const startedAt = clock.now();
    try {
      return await ask();
    } finally {
      this.busyMs += clock.now() - startedAt;
    }
  }

  private async finish(run: MarketRun): Promise<void> {
    const { clock, database, logger, set, settings } = this.dependencies;
    const id = analysisIdOf(set);
    const result = run.result();
    const [row] = await this.timed(() => database.query<{ sets: number }>(countSets(set.category)));
    await this.timed(() => database.batch([storeResult(id, run.startedAt, result)]));
    const restMs = (this.busyMs * partsOf(set, row?.sets ?? 0)) / settings.share - this.busyMs;
    this.write({ ...this.state, notBefore: clock.now() + Math.max(settings.restMs, restMs), run: null });
    const { slices, rows } = result.run;
    logger("info", "analysis.finished", { analysis: id, slices, rows });
  }

  /** In storage first: what throws leaves the memory as it was. */
  private write(state: AnalysisState, touched: readonly string[] = []): void {
    this.store.write(state, touched);
    this.state = state;
  }

  private fail(error: unknown): void {
    const { clock, logger, set } = this.dependencies;
    this.retryAt = clock.now() + Math.min(longestRetryMs, firstRetryMs * 2 ** Math.min(this.failures, 30));
    this.failures += 1;
    logger("warn", "analysis.failed", { analysis: analysisIdOf(set), error: describeError(error) });
    // The run in memory may be ahead of what is stored of it.
    this.state = this.store.read(set);
  }

  /** While the alarm works it sets the next one itself, and is run again by the platform where it is cut off. */
  private async arm(): Promise<void> {
    const due = this.isWorking ? null : this.due;
    if (due === null || (this.alarmAt !== null && this.alarmAt <= due)) return;
    this.alarmAt = due;
    await this.dependencies.storage.setAlarm(due);
  }

  private get due(): number | null {
    const { clock, settings } = this.dependencies;
    const { isRequested, notBefore, run } = this.state;
    const now = clock.now();
    if (run !== null) return Math.max(now, this.retryAt);
    return isRequested ? Math.max(now + settings.gatherMs, notBefore, this.retryAt) : null;
  }
}

/**
 * Into how many parts the category's share is cut where the set has one of them: half of it is the
 * category's own analysis, and the other half is divided among the sets of its attributes' values.
 */
function partsOf({ attribute }: AuctionSet, sets: number): number {
  if (sets === 0) return 1;
  return attribute === undefined ? 2 : 2 * sets;
}

import type { Clock } from "../../src/lib/clock.ts";
import { describeError, type Logger, type RequestIds } from "../../src/lib/log.ts";
import {
  keptMs,
  mostKept,
  mostRunning,
  type ReplaySettings,
  type ReplayView,
  type Stretch,
} from "../../src/replays/replay.ts";
import type { PartitionStorage } from "../dependencies.ts";
import { migrate } from "../storage/migrations.ts";
import { CatalogStore, type Replay } from "./catalog-store.ts";
import { ReplayDriver, type ReplayObjects } from "./driver.ts";
import { nextStepOf } from "./next-step.ts";
import type { ReplayCatalogRpc, StartAnswer } from "./rpc.ts";
import { catalogMigrations } from "./schema.ts";

/** How long an alarm drives what runs before the next one does. */
const turnMs = 2_000;
/** A replay that is not done by then is given up. */
const longestMs = keptMs;

export interface CatalogDependencies {
  readonly storage: PartitionStorage;
  readonly clock: Pick<Clock, "now">;
  readonly objects: ReplayObjects;
  readonly logger: Logger;
  /** For who started and cancelled what. */
  readonly auditLogger: Logger;
}

/**
 * All replays: which run, how far they are, what came of them. One object, so that the bound on how
 * many run holds for all; it drives those that run from its alarm, by calls to their own objects.
 */
export class ReplayCatalog implements ReplayCatalogRpc {
  private readonly dependencies: CatalogDependencies;
  private readonly store: CatalogStore;
  private readonly driver: ReplayDriver;
  /** When the alarm is set for, null where it is not. */
  private alarmAt: number | null = null;

  constructor(dependencies: CatalogDependencies) {
    this.dependencies = dependencies;
    migrate(dependencies.storage, catalogMigrations);
    this.store = new CatalogStore(dependencies.storage);
    this.driver = new ReplayDriver({ ...dependencies, store: this.store });
  }

  /** Before any other call: an alarm that is owed is set. */
  async resume(): Promise<void> {
    this.alarmAt = await this.dependencies.storage.getAlarm();
    await this.arm();
  }

  async start(
    settings: ReplaySettings,
    stretches: readonly Stretch[],
    asker?: RequestIds,
  ): Promise<StartAnswer> {
    const { store } = this;
    const known = store.read(settings.id);
    if (known !== undefined) return { kind: "started", view: store.view(known, false) };
    if (store.unsettled().filter(isRunning).length >= mostRunning) return { kind: "full" };
    const replay: Replay = {
      ...settings,
      status: "running",
      conclusion: { merged: 0, step: 0, steps: 0 },
      isDiscarded: false,
    };
    store.transaction(() => {
      for (const [partition, { from, to }] of stretches.entries()) {
        const progress = { position: from, records: 0, bytes: 0, lostOffsets: 0, isBegun: false };
        store.writePart(settings.id, { partition, from, to, ...progress });
      }
      store.write(replay);
    });
    // Results are kept for their time, but no more of them than may be.
    store.keepNewest(mostKept);
    this.audit("replay.started", replay, { credential: settings.createdBy, ...asker });
    await this.arm();
    return { kind: "started", view: store.view(replay, false) };
  }

  async list(limit: number): Promise<readonly ReplayView[]> {
    return this.store.newest(limit).map((replay) => this.store.view(replay, false));
  }

  async get(id: string): Promise<ReplayView | null> {
    const replay = this.store.read(id);
    return replay === undefined ? null : this.store.view(replay, true);
  }

  async cancel(id: string, credential: string, asker?: RequestIds): Promise<ReplayView | null> {
    const replay = this.store.read(id);
    if (replay === undefined) return null;
    if (isRunning(replay)) {
      // What is under way ends with its slice, finds that the replay has ended, and changes nothing.
      this.store.write({ ...replay, status: "cancelled", finishedAt: this.dependencies.clock.now() });
      this.audit("replay.cancelled", replay, { credential, ...asker });
      await this.arm();
    }
    return this.get(id);
  }

  /** Drives what runs, empties the objects of what has ended, and forgets what is too old. Never throws. */
  async alarm(): Promise<void> {
    const { clock, logger } = this.dependencies;
    this.alarmAt = null;
    try {
      const now = clock.now();
      this.store.removeSettledBy(now - keptMs);
      for (const replay of this.store.unsettled()) this.giveUpLate(replay, now);
      const left = this.store.unsettled();
      await Promise.all([
        ...left.filter(isRunning).map(({ id }) => this.driver.drive(id, now + turnMs)),
        ...left.filter((replay) => isLeftover(replay, now)).map((replay) => this.driver.discard(replay)),
      ]);
    } catch (error) {
      logger("error", "replays-stalled", { error: describeError(error) });
    } finally {
      await this.arm();
    }
  }

  private giveUpLate(replay: Replay, now: number): void {
    if (!isRunning(replay) || now < replay.createdAt + longestMs) return;
    const failure = { code: "too-long", detail: "The replay was not done after seven days" } as const;
    this.store.write({ ...replay, status: "failed", failure, finishedAt: now });
  }

  private async arm(): Promise<void> {
    const { clock, storage } = this.dependencies;
    const step = nextStepOf(this.store.unsettled(), (id) => this.store.parts(id), clock.now());
    const settledAt = this.store.firstSettledAt();
    const at = settledAt === null ? step : Math.min(step ?? Number.POSITIVE_INFINITY, settledAt + keptMs);
    // One that is set earlier fires and computes again.
    if (at === null || (this.alarmAt !== null && this.alarmAt <= at)) return;
    this.alarmAt = at;
    await storage.setAlarm(at);
  }

  private audit(
    action: string,
    { id, analysis, topic }: Replay,
    by: { readonly credential: string } & Partial<RequestIds>,
  ): void {
    this.dependencies.auditLogger("info", "audit", { action, replay: id, analysis, topic, ...by });
  }
}

function isRunning({ status }: Replay): boolean {
  return status === "running";
}

function isLeftover({ status, discardAt = 0 }: Replay, now: number): boolean {
  return status !== "running" && discardAt <= now;
}

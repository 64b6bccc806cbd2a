import { DatabaseSync } from "node:sqlite";
import { ReplayCatalog } from "../../../durable-objects/replays/catalog.ts";
import { ReplayConclusion } from "../../../durable-objects/replays/conclusion.ts";
import { ReplayPart } from "../../../durable-objects/replays/part.ts";
import type { PartitionStorage } from "../../../durable-objects/dependencies.ts";
import type { AnalysisName } from "../../../src/analyses/registry.ts";
import { analyses } from "../../../src/analyses/registry.ts";
import { uuidv7 } from "../../../src/lib/uuid.ts";
import type { ReplaySettings, ReplayView, Stretch } from "../../../src/replays/replay.ts";
import { topics } from "../../../src/topics.ts";
import { storageOver } from "../../support/sqlite-storage.ts";
import { HandClock } from "../partition/core-world.ts";
import { StretchLog } from "./replay-world.ts";

/** The catalog and the objects that it drives, all over real SQLite databases, with its alarm in hand. */
export class CatalogWorld {
  readonly clock = new HandClock();
  readonly log = new StretchLog();
  readonly lines: { readonly event: string; readonly fields: Record<string, unknown> | undefined }[] = [];
  alarmAt: number | null = null;
  /** Names of objects whose calls fail. */
  readonly broken = new Set<string>();
  private readonly databases = new Map<string, DatabaseSync>();
  catalog = this.make();

  private storage(name: string): PartitionStorage {
    const database = this.databases.get(name) ?? new DatabaseSync(":memory:");
    this.databases.set(name, database);
    return storageOver(database);
  }

  /** Whether an object has anything in its storage. */
  has(name: string): boolean {
    return this.databases.has(name);
  }

  private make(): ReplayCatalog {
    const { clock, log } = this;
    const logger = (_: string, event: string, fields?: Record<string, unknown>) =>
      void this.lines.push({ event, fields });
    const gate = (name: string) => {
      if (this.broken.has(name)) throw new Error("the object is gone");
    };
    const object = (name: string) => ({
      storage: this.storage(name),
      deleteAll: () => Promise.resolve(void this.databases.delete(name)),
    });
    // An object for each call: nothing is kept in memory between two of them.
    const part = (id: string, partition: number) => {
      gate(`${id}/${partition}`);
      return new ReplayPart({ ...object(`${id}/${partition}`), log, clock });
    };
    const conclusion = (id: string) => {
      gate(`${id}/result`);
      const stateOf = (partition: number) => part(id, partition).state();
      return new ReplayConclusion({ ...object(`${id}/result`), clock, stateOf });
    };
    const storage = {
      ...this.storage("replays"),
      setAlarm: (at: number) => Promise.resolve(void (this.alarmAt = at)),
      sync: () => Promise.resolve(),
      getAlarm: () => Promise.resolve(this.alarmAt),
    };
    return new ReplayCatalog({
      storage,
      clock,
      objects: { part, conclusion },
      logger,
      auditLogger: logger,
    });
  }

  /** A new object over the same storage. */
  async restart(): Promise<void> {
    this.catalog = this.make();
    await this.catalog.resume();
  }

  async start(analysis: AnalysisName, more: Partial<ReplaySettings> = {}, stretches?: readonly Stretch[]) {
    const now = this.clock.now();
    const answer = await this.catalog.start(
      {
        id: uuidv7(now),
        analysis,
        topic: topics.journal,
        logTopic: topics.journal,
        maximumRecords: 1_000_000,
        maximumBytes: 1_000_000_000,
        createdAt: now,
        createdBy: "operator",
        ...more,
        parameters: analyses[analysis].parameters.parse(more.parameters ?? {}),
      },
      stretches ?? [{ from: 0, to: this.log.topic(`${topics.journal}/0`).length }],
      { requestId: "request-1", traceId: "trace-1" },
    );
    if (answer.kind === "full") throw new Error("full");
    return answer.view.id;
  }

  /** Fires the alarm at its time, moving the clock there; answers when that was. */
  async fire(): Promise<number> {
    if (this.alarmAt === null) throw new Error("no alarm is set");
    this.clock.time = Math.max(this.clock.time, this.alarmAt);
    this.alarmAt = null;
    const firedAt = this.clock.time;
    await this.catalog.alarm();
    return firedAt;
  }

  /** Fires alarms until the replay has ended and nothing is left of its objects. */
  async finish(id: string): Promise<ReplayView> {
    for (let alarms = 0; alarms < 200; alarms += 1) {
      const view = await this.catalog.get(id);
      if (view === null) throw new Error("the replay is gone");
      if (view.status !== "running" && !this.has(`${id}/0`) && !this.has(`${id}/result`)) return view;
      await this.fire();
    }
    throw new Error("the replay does not end");
  }
}

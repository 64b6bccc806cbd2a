import { DatabaseSync } from "node:sqlite";
import {
  AnalysisCore,
  type AnalysisSettings,
  analysisSettings,
} from "../../../durable-objects/analysis/core.ts";
import type { PartitionStorage } from "../../../durable-objects/dependencies.ts";
import { createAnalytics } from "../../../src/functions/analytics/analytics.ts";
import type { CompletedAuction } from "../../../src/functions/completed-event.ts";
import type { AnalysisResult } from "../../../src/functions/market-analysis/result.ts";
import {
  admitSets,
  insertSetAuctions,
  insertSetParticipations,
} from "../../../src/functions/market-analysis/set-statements.ts";
import {
  analysisIdOf,
  isOfAttribute,
  parseAnalysisId,
  setsOf,
} from "../../../src/functions/market-analysis/sets.ts";
import { insertParticipations } from "../../../src/functions/market-analysis/statements.ts";
import { getAnalysis } from "../../../src/read-model/analyses.ts";
import { completedRecord, invocationOf } from "../../support/completed-records.ts";
import { memoryDatabase } from "../../support/sqlite-database.ts";
import { storageOver } from "../../support/sqlite-storage.ts";

/** An auction, and who bid on it. */
export interface Bidden {
  readonly auction: CompletedAuction;
  readonly bidders: readonly string[];
}

/** The object of one analysis over real SQLite, for its own storage and the database, with a clock and an alarm that the test drives. */
export class AnalysisWorld {
  now = Date.parse("2026-11-25T12:00:00.000Z");
  readonly database = memoryDatabase();
  readonly settings: AnalysisSettings;
  /** How many transactions of the object's storage succeed before one fails; none does where it is undefined. */
  failsAfter: number | undefined;
  /** How long the database takes for a slice. */
  queryMs = 0;
  alarmAt: number | null = null;
  private readonly id: string;
  private readonly storage: PartitionStorage;
  private sequence = 0;
  core!: AnalysisCore;

  constructor(id: string, settings: Partial<AnalysisSettings> = {}) {
    this.id = id;
    this.settings = { ...analysisSettings, ...settings };
    const storage = storageOver(new DatabaseSync(":memory:"));
    this.storage = {
      ...storage,
      transaction: (body) => {
        this.maybeFail();
        return storage.transaction(body);
      },
      setAlarm: (at) => Promise.resolve(void (this.alarmAt = at)),
      sync: () => Promise.resolve(),
      getAlarm: () => Promise.resolve(this.alarmAt),
    };
  }

  private maybeFail(): void {
    if (this.failsAfter === undefined) return;
    this.failsAfter = this.failsAfter === 0 ? undefined : this.failsAfter - 1;
    if (this.failsAfter === undefined) throw new Error("the disk is full");
  }

  /** A new object over the same storage, as at its first call and after a crash. */
  async restart(): Promise<void> {
    const set = parseAnalysisId(this.id);
    if (set === null) throw new Error(`${this.id} is no id`);
    this.core = new AnalysisCore({
      set,
      storage: this.storage,
      database: {
        query: (statement) => {
          this.now += this.queryMs;
          return this.database.query(statement);
        },
        batch: (statements) => this.database.batch(statements),
      },
      clock: { now: () => this.now, sleep: () => Promise.resolve() },
      logger: () => undefined,
      settings: this.settings,
    });
    await this.core.start();
  }

  /** The read model gets to know of finished auctions, and of who bid on them. */
  async finish(all: readonly Bidden[]): Promise<void> {
    const records = all.map(({ auction }) => completedRecord(auction, (this.sequence += 1)));
    await createAnalytics(this.database)(invocationOf(records));
    const pairs = all.flatMap(({ auction: { category, itemId }, bidders }) =>
      bidders.map((bidder) => [category, bidder, itemId] as const),
    );
    await this.database.batch([insertParticipations(pairs)]);
    for (const { auction, bidders } of all) {
      const classified = { category: auction.category, attributes: auction.attributes ?? {} };
      for (const set of setsOf(classified, [{ category: "*", attribute: "year" }]).filter(isOfAttribute)) {
        const id = analysisIdOf(set);
        await this.database.batch([
          admitSets([set], 200),
          insertSetAuctions([[id, auction.itemId]]),
          insertSetParticipations(bidders.map((bidder) => [id, bidder, auction.itemId])),
        ]);
      }
    }
  }

  /** Moves the clock to the alarm and lets it fire. @returns whether there was one */
  async fire(): Promise<boolean> {
    if (this.alarmAt === null) return false;
    this.now = Math.max(this.now, this.alarmAt);
    this.alarmAt = null;
    await this.core.alarm();
    return true;
  }

  /** Until nothing is to be done any more. @returns how many alarms that took */
  async settle(): Promise<number> {
    for (let alarms = 0; alarms < 10_000; alarms += 1) if (!(await this.fire())) return alarms;
    throw new Error("it comes to no end");
  }

  result(): Promise<AnalysisResult | null> {
    return getAnalysis(this.database, this.id);
  }
}

/** What does not depend on when and how it was run. */
export function findingsOf(result: AnalysisResult | null): unknown {
  if (result === null) return null;
  const { asOf: _, run: __, ...findings } = result;
  return findings;
}

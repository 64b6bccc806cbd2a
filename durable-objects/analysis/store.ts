import type { StoredTally } from "../../src/functions/market-analysis/price-tally.ts";
import { MarketRun, type StoredRun } from "../../src/functions/market-analysis/run.ts";
import type { AuctionSet } from "../../src/functions/market-analysis/sets.ts";
import type { PartitionStorage } from "../dependencies.ts";
import { migrate } from "../storage/migrations.ts";

/** The schema of an analysis's object, as numbered migrations: appended to, never changed. */
const schema: readonly (readonly string[])[] = [
  [
    `CREATE TABLE analysis (id INTEGER PRIMARY KEY CHECK (id = 1), requested INTEGER NOT NULL,
       not_before INTEGER NOT NULL, run TEXT)`,
    `CREATE TABLE tallies (currency TEXT PRIMARY KEY, tally TEXT NOT NULL) WITHOUT ROWID`,
  ],
];

export interface AnalysisState {
  /** Somebody asked for a run, and none has begun since. */
  readonly isRequested: boolean;
  /** No run begins before it, in milliseconds since the epoch. */
  readonly notBefore: number;
  readonly run: MarketRun | null;
}

interface Row extends Record<string, string | number | null> {
  requested: number;
  not_before: number;
  run: string | null;
}

/** The tables of one analysis's object: its one row, and a tally for each currency of the run. */
export class AnalysisStore {
  private readonly storage: PartitionStorage;

  constructor(storage: PartitionStorage) {
    this.storage = storage;
    migrate(storage, schema);
  }

  read(set: AuctionSet): AnalysisState {
    const [row] = this.storage.all<Row>(`SELECT requested, not_before, run FROM analysis`);
    if (row === undefined) return { isRequested: false, notBefore: 0, run: null };
    return {
      isRequested: row.requested === 1,
      notBefore: row.not_before,
      run: row.run === null ? null : new MarketRun(set, JSON.parse(row.run) as StoredRun, this.tallies()),
    };
  }

  private tallies(): Map<string, StoredTally> {
    const rows = this.storage.all<{ currency: string; tally: string }>(`SELECT * FROM tallies`);
    return new Map(rows.map(({ currency, tally }) => [currency, JSON.parse(tally) as StoredTally]));
  }

  /** Writes the state, and of its run the tallies that changed, all or nothing. */
  write({ isRequested, notBefore, run }: AnalysisState, touched: readonly string[] = []): void {
    this.storage.transaction(() => {
      this.storage.run(
        `INSERT OR REPLACE INTO analysis (id, requested, not_before, run) VALUES (1, ?, ?, ?)`,
        isRequested ? 1 : 0,
        notBefore,
        run === null ? null : JSON.stringify(run.toStored()),
      );
      if (run === null) this.storage.run(`DELETE FROM tallies`);
      for (const currency of touched) {
        this.storage.run(
          `INSERT OR REPLACE INTO tallies (currency, tally) VALUES (?, ?)`,
          currency,
          JSON.stringify(run?.storedTally(currency)),
        );
      }
    });
  }
}

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Database, Statement } from "../../src/database.ts";
import { Problem } from "../../src/lib/problem.ts";

const migrations = join(import.meta.dirname, "..", "..", "migrations");

/** Gavel's database over a real SQLite in memory, with the schema that D1 gets. */
export interface TestDatabase extends Database {
  readonly sqlite: DatabaseSync;
  /** What it was asked for, since the last look: statements of each query or batch. */
  readonly asked: number[];
  /** How the next calls go: one each, then as usual. */
  readonly faults: Fault[];
}

/** `before`: nothing takes effect. `after`: all does, and nobody is told. */
export type Fault = "before" | "after" | "none";

export function memoryDatabase(): TestDatabase {
  const sqlite = new DatabaseSync(":memory:");
  for (const name of readdirSync(migrations).toSorted()) {
    sqlite.exec(readFileSync(join(migrations, name), "utf8"));
  }
  const asked: number[] = [];
  const faults: Fault[] = [];
  const run = <Result>(statements: readonly Statement[], body: () => Result): Promise<Result> => {
    asked.push(statements.length);
    const fault = faults.shift();
    if (fault === "before") return Promise.reject(away());
    try {
      const result = body();
      return fault === "after" ? Promise.reject(away()) : Promise.resolve(result);
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
  };
  const all = ({ sql, parameters }: Statement) =>
    sqlite
      .prepare(sql)
      .all(...parameters)
      .map((row) => ({ ...row }));
  return {
    sqlite,
    asked,
    faults,
    query: <Row extends object>(statement: Statement) =>
      run([statement], () => all(statement) as unknown as readonly Row[]),
    batch: (statements) =>
      run(statements, () => {
        sqlite.exec("BEGIN");
        try {
          for (const statement of statements) all(statement);
          sqlite.exec("COMMIT");
        } catch (error) {
          sqlite.exec("ROLLBACK");
          throw error;
        }
      }),
  };
}

function away(): Problem {
  return new Problem("database-unavailable", "The connection to the database is lost");
}

/** Everything that the database holds, in an order of its own. */
export function dumpOf({ sqlite }: TestDatabase): unknown {
  return ["auctions", "auction_totals", "profiles"].map((table) =>
    sqlite.prepare(`SELECT * FROM ${table} ORDER BY 1, 2, 3, 4`).all(),
  );
}

/** Rows written, changed or deleted since it was opened. */
export function changesOf({ sqlite }: TestDatabase): number {
  return Number(sqlite.prepare("SELECT total_changes() AS changes").get()?.["changes"]);
}

/** How SQLite goes about the statements that `body` asks for, a line a step. */
export async function plansOf(
  database: TestDatabase,
  body: (watched: Database) => Promise<unknown>,
): Promise<string[]> {
  const plans: string[] = [];
  const explain = ({ sql, parameters }: Statement) => {
    const steps = database.sqlite.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...parameters);
    plans.push(...steps.map((step) => String(step["detail"])));
  };
  await body({
    query: <Row extends object>(statement: Statement) => {
      explain(statement);
      return database.query<Row>(statement);
    },
    batch: (statements) => {
      for (const statement of statements) explain(statement);
      return database.batch(statements);
    },
  });
  return plans;
}

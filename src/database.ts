import type { Clock } from "./lib/clock.ts";
import { Problem } from "./lib/problem.ts";

export type SqlParameter = string | number | null;

/** One statement of SQL; D1 binds at most 100 parameters and runs at most 100 KB of text. */
export interface Statement {
  readonly sql: string;
  readonly parameters: readonly SqlParameter[];
}

/**
 * The database beside the log: the read model and the profiles. D1 when deployed and locally,
 * `node:sqlite` in tests without a runtime. What is asked of it may be repeated: a failure does not
 * say whether the statement took effect.
 */
export interface Database {
  /** The rows of one statement. @throws {Problem} `database-unavailable`. */
  query<Row extends object>(statement: Statement): Promise<readonly Row[]>;
  /** Runs the statements in order and in one transaction: all or none. @throws {Problem} likewise. */
  batch(statements: readonly Statement[]): Promise<void>;
}

/** What is used of a `D1Database`, whose types exist in the Workers runtime alone. */
interface PreparedStatement {
  bind(...values: unknown[]): PreparedStatement;
  all<Row>(): Promise<{ readonly results: Row[] }>;
}

interface DatabaseBinding {
  prepare(sql: string): PreparedStatement;
  batch(statements: PreparedStatement[]): Promise<unknown>;
}

/** How long a database may take, in milliseconds. */
const longestAnswerMs = 10_000;

/** D1 behind the port. */
export function createDatabase(binding: DatabaseBinding, clock: Clock): Database {
  const prepare = ({ sql, parameters }: Statement) => {
    const statement = binding.prepare(sql);
    return parameters.length === 0 ? statement : statement.bind(...parameters);
  };
  return {
    async query<Row extends object>(statement: Statement) {
      const { results } = await answerOf(() => prepare(statement).all<Row>(), clock);
      return results;
    },
    async batch(statements) {
      await answerOf(() => binding.batch(statements.map(prepare)), clock);
    },
  };
}

async function answerOf<Answer>(ask: () => Promise<Answer>, clock: Clock): Promise<Answer> {
  const answered = new AbortController();
  try {
    // Also where the binding is missing, or a statement cannot be made.
    return await Promise.race([ask(), silence(clock, answered.signal)]);
  } catch (cause) {
    if (cause instanceof Problem) throw cause;
    throw new Problem("database-unavailable", "The database does not do what it is asked for", { cause });
  } finally {
    answered.abort();
  }
}

async function silence(clock: Clock, signal: AbortSignal): Promise<never> {
  await clock.sleep(longestAnswerMs, signal);
  throw new Problem("database-unavailable", `The database does not answer within ${longestAnswerMs} ms`);
}

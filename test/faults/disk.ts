/**
 * A Durable Object's storage: a real SQLite database in memory, and one alarm. It outlives the
 * object's lives and is lost only by a wipe.
 */
import { DatabaseSync } from "node:sqlite";
import type { StatementSync, SQLInputValue, SQLOutputValue } from "node:sqlite";
import type { PartitionStorage, SqlRow, SqlValue } from "../../durable-objects/dependencies.ts";
import type { Life } from "./life.ts";

/** What Cloudflare allows at most, and a local runtime does not enforce. */
const limits = { boundParameters: 100, statementBytes: 100_000, valueBytes: 2_000_000 } as const;

export class Disk {
  #database = new DatabaseSync(":memory:");
  #statements = new Map<string, StatementSync>();
  #alarm: number | null = null;
  #wipes = 0;
  readonly #alarmChanged: (at: number) => void;

  constructor(alarmChanged: (at: number) => void) {
    this.#alarmChanged = alarmChanged;
  }

  get wipes(): number {
    return this.#wipes;
  }

  get alarm(): number | null {
    return this.#alarm;
  }

  set alarm(at: number | null) {
    this.#alarm = at;
    if (at !== null) this.#alarmChanged(at);
  }

  wipe(): void {
    this.close();
    this.#database = new DatabaseSync(":memory:");
    this.#statements = new Map();
    this.#alarm = null;
    this.#wipes += 1;
  }

  close(): void {
    this.#database.close();
  }

  statement(text: string): StatementSync {
    const known = this.#statements.get(text);
    if (known !== undefined) return known;
    if (Buffer.byteLength(text) > limits.statementBytes) throw new Error("statement too long");
    const statement = this.#database.prepare(text);
    this.#statements.set(text, statement);
    return statement;
  }

  execute(text: "BEGIN" | "COMMIT" | "ROLLBACK"): void {
    this.statement(text).run();
  }
}

/** The disk as one life of the object sees it: every statement and commit is a possible crash. */
export class LivingStorage implements PartitionStorage {
  readonly #disk: Disk;
  readonly #life: Life;
  #inTransaction = false;

  constructor(disk: Disk, life: Life) {
    this.#disk = disk;
    this.#life = life;
  }

  all<Row extends SqlRow>(statement: string, ...parameters: SqlValue[]): Row[] {
    this.#life.step("crash before a commit");
    const rows = this.#disk.statement(statement).all(...toInputs(parameters));
    return rows.map((row) => asRow<Row>(row));
  }

  run(statement: string, ...parameters: SqlValue[]): void {
    this.#life.step("crash before a commit");
    this.#disk.statement(statement).run(...toInputs(parameters));
    if (!this.#inTransaction) this.#life.step("crash after a commit");
  }

  transaction<Result>(body: () => Result): Result {
    this.#life.step("crash before a commit");
    if (this.#inTransaction) throw new Error("a transaction inside a transaction");
    this.#inTransaction = true;
    this.#disk.execute("BEGIN");
    let result: Result;
    try {
      result = body();
      if (result instanceof Promise) throw new Error("a transaction that waits");
      this.#life.step("crash before a commit");
    } catch (error) {
      this.#disk.execute("ROLLBACK");
      throw error;
    } finally {
      this.#inTransaction = false;
    }
    this.#disk.execute("COMMIT");
    this.#life.step("crash after a commit");
    return result;
  }

  /** What is committed here is there at once. */
  sync(): Promise<void> {
    return this.#life.wait((resolve) => resolve());
  }

  setAlarm(at: number): Promise<void> {
    return this.#life.wait((resolve) => {
      this.#disk.alarm = at;
      resolve();
    });
  }

  getAlarm(): Promise<number | null> {
    return this.#life.wait((resolve) => resolve(this.#disk.alarm));
  }
}

function toInputs(values: readonly SqlValue[]): SQLInputValue[] {
  if (values.length > limits.boundParameters) throw new Error("too many bound parameters");
  return values.map(toInput);
}

function toInput(value: SqlValue): SQLInputValue {
  if (!(value instanceof ArrayBuffer)) return value;
  if (value.byteLength > limits.valueBytes) throw new Error("value too long");
  return new Uint8Array(value);
}

/** A row in the runtime's types: binary values as ArrayBuffer, integers as numbers. */
function asRow<Row extends SqlRow>(row: Record<string, SQLOutputValue>): Row {
  const values: SqlRow = {};
  for (const [name, value] of Object.entries(row)) values[name] = toValue(value);
  return values as Row;
}

function toValue(value: SQLOutputValue): SqlValue {
  if (typeof value === "bigint") return Number(value);
  return value instanceof Uint8Array ? value.slice().buffer : value;
}

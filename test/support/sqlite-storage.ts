import { DatabaseSync, type SQLOutputValue } from "node:sqlite";
import { auctionMigrations, migrate } from "../../durable-objects/storage/migrations.ts";
import type { PartitionStorage, SqlRow, SqlValue } from "../../durable-objects/dependencies.ts";

/** The storage of a partition of group `auction` over a real SQLite database in memory, with the schema in place. */
export function memoryStorage(): PartitionStorage {
  const storage = storageOver(new DatabaseSync(":memory:"));
  migrate(storage, auctionMigrations);
  return storage;
}

/** A partition's storage over any database, as it is. */
export function storageOver(database: DatabaseSync): PartitionStorage {
  return {
    all: <Row extends SqlRow>(statement: string, ...parameters: SqlValue[]) =>
      database
        .prepare(statement)
        .all(...parameters.map(toNode))
        .map((row) => fromNode(row) as Row),
    run: (statement, ...parameters) => void database.prepare(statement).run(...parameters.map(toNode)),
    transaction: (body) => {
      database.exec("SAVEPOINT body");
      try {
        const result = body();
        database.exec("RELEASE body");
        return result;
      } catch (error) {
        database.exec("ROLLBACK TO body; RELEASE body");
        throw error;
      }
    },
    sync: () => Promise.resolve(),
    setAlarm: () => Promise.resolve(),
    getAlarm: () => Promise.resolve(null),
  };
}

function toNode(value: SqlValue): string | number | null | Uint8Array {
  return value instanceof ArrayBuffer ? new Uint8Array(value) : value;
}

/** As Durable Objects answer: blobs as buffers of their own. */
function fromNode(row: Record<string, SQLOutputValue>): SqlRow {
  const answer: SqlRow = {};
  for (const [name, value] of Object.entries(row)) {
    if (value instanceof Uint8Array) answer[name] = new Uint8Array(value).buffer;
    else answer[name] = typeof value === "bigint" ? Number(value) : value;
  }
  return answer;
}

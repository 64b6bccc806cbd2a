import { env } from "cloudflare:workers";
import type { Partition } from "../../../durable-objects/partition.ts";
import { createDatabase } from "../../../src/database.ts";
import { systemClock } from "../../../src/lib/clock.ts";

const bindings = env as unknown as {
  readonly DATABASE: D1Database;
  readonly PARTITIONS: DurableObjectNamespace<Partition>;
};

export const d1 = bindings.DATABASE;
export const database = createDatabase(d1, systemClock);

/** An object to run a function in: what the engine does there is not what is tested. */
export function someObject(name: string): DurableObjectStub<Partition> {
  return bindings.PARTITIONS.getByName(`auction/${name}`);
}

/** D1 that counts what the platform says was written: rows, index entries among them. */
export function countingDatabase() {
  const count = { rowsWritten: 0 };
  const counting = createDatabase(
    {
      prepare: (sql) => d1.prepare(sql),
      async batch(statements) {
        const results = await d1.batch(statements as unknown as D1PreparedStatement[]);
        for (const { meta } of results) count.rowsWritten += meta.rows_written;
        return results;
      },
    },
    systemClock,
  );
  return { count, database: counting };
}

/** Everything of the read model, in an order of its own. */
export async function dumpOfReadModel(): Promise<unknown> {
  const tables = ["auctions", "auction_totals"].map((table) =>
    d1.prepare(`SELECT * FROM ${table} ORDER BY 1, 2, 3, 4`),
  );
  return (await d1.batch(tables)).map(({ results }) => results);
}

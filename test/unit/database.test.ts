import { expect, test } from "vitest";
import { createDatabase } from "../../src/database.ts";
import { systemClock } from "../../src/lib/clock.ts";

type Binding = Parameters<typeof createDatabase>[0];

const statement = { sql: "SELECT 1", parameters: [] };

/** No real database can be made to do this at a wish. */
function bindingThat(all: () => Promise<never>): Binding {
  const prepared = { bind: () => prepared, all };
  return { prepare: () => prepared, batch: all };
}

test("a database that fails is unavailable, with its own words for the log alone", async () => {
  const cause = new Error("D1_ERROR: Network connection lost.");
  const database = createDatabase(
    bindingThat(() => Promise.reject(cause)),
    systemClock,
  );
  for (const asked of [database.query(statement), database.batch([statement])]) {
    await expect(asked).rejects.toMatchObject({ code: "database-unavailable", status: 503, cause });
  }
});

test("a database that never answers is unavailable after ten seconds", async () => {
  const slept: number[] = [];
  const database = createDatabase(
    bindingThat(() => new Promise(() => undefined)),
    { now: () => 0, sleep: (milliseconds) => Promise.resolve(void slept.push(milliseconds)) },
  );
  await expect(database.query(statement)).rejects.toMatchObject({ code: "database-unavailable" });
  expect(slept).toEqual([10_000]);
});

test("a binding that is missing is unavailable, not a failure of Gavel", async () => {
  const database = createDatabase(undefined as unknown as Binding, systemClock);
  await expect(database.query(statement)).rejects.toMatchObject({ code: "database-unavailable" });
});

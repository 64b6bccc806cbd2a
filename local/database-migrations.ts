import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Miniflare, V4WorkerOptions } from "miniflare";

/** A migration as `wrangler d1 migrations apply` knows it: its file's name, and its statements. */
export interface DatabaseMigration {
  readonly name: string;
  readonly queries: readonly string[];
}

/** Where the bundle has them; what its modules are is told by their endings, and this is none. */
export const migrationsFile = "migrations.json";

const host = "migrations.invalid";

/**
 * The Worker beside the gateway that brings the database's schema up to date when it is asked to. It
 * runs in the runtime, since the database does: from here Miniflare would ask for each statement
 * by stopping this process's only thread until the runtime answers (see `sweep.ts`).
 *
 * It takes nothing from whoever asks: what it runs is part of it. Names go into the table that
 * wrangler keeps them in, so that neither applies what the other has.
 */
export function migrationsWorker(
  bundle: string,
  d1Databases: NonNullable<V4WorkerOptions["d1Databases"]>,
): V4WorkerOptions {
  const migrations = readFileSync(join(bundle, migrationsFile), "utf8");
  return {
    name: "migrations",
    modules: true,
    script: script(JSON.parse(migrations) as DatabaseMigration[]),
    routes: [`${host}/*`],
    d1Databases,
    unsafeRegisterWorker: false,
  };
}

/** @throws {Error} naming the migration that failed; those before it stay. */
export async function applyMigrations(runtime: Miniflare): Promise<void> {
  const answer = await runtime.dispatchFetch(`http://${host}/`);
  if (!answer.ok) throw new Error(`the database cannot be brought up to date: ${await answer.text()}`);
}

/** Source of the table: wrangler, `d1 migrations apply`. A migration and its name are one transaction. */
function script(migrations: readonly DatabaseMigration[]): string {
  return `
const migrations = ${JSON.stringify(migrations)};
export default {
  async fetch(_, { DATABASE }) {
    await DATABASE.prepare(\`CREATE TABLE IF NOT EXISTS d1_migrations (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      name TEXT UNIQUE,
      applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL)\`).run();
    const { results } = await DATABASE.prepare("SELECT name FROM d1_migrations").all();
    const applied = new Set(results.map(({ name }) => name));
    for (const { name, queries } of migrations) {
      if (applied.has(name)) continue;
      const note = DATABASE.prepare("INSERT INTO d1_migrations (name) VALUES (?)").bind(name);
      try {
        await DATABASE.batch([...queries.map((query) => DATABASE.prepare(query)), note]);
      } catch (error) {
        return new Response(name + ": " + error.message, { status: 500 });
      }
    }
    return new Response();
  },
};
`;
}

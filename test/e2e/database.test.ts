import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { applyMigrations, migrationsFile, migrationsWorker } from "../../local/database-migrations.ts";
import { freshHome, killEverything, npmStart } from "./support/home.ts";

const root = join(import.meta.dirname, "..", "..");

describe("the database under npm start", () => {
  it("keeps what was acknowledged through a kill -9 of everything", async () => {
    const home = freshHome();
    const first = await npmStart({ home });
    const put = await fetch(`${first.local.url}/v1/profiles/ada`, {
      method: "PUT",
      headers: {
        authorization: `Bearer ${first.local.keys.operator}`,
        "content-type": "application/json",
      },
      body: JSON.stringify({ displayName: "Ada" }),
    });
    expect(put.status).toBe(201);
    killEverything(first, home);
    await first.ended;
    const { local } = await npmStart({ home });
    const headers = { authorization: `Bearer ${local.keys.backend}` };
    const got = await fetch(`${local.url}/v1/profiles/ada`, { headers });
    expect(await got.json()).toMatchObject({ id: "ada", displayName: "Ada" });
    const auctions = await fetch(`${local.url}/v1/auctions`, { headers });
    expect(await auctions.json()).toEqual({ auctions: [] });
  });

  it("has the schema that wrangler would give it, and wrangler knows", async () => {
    const home = freshHome();
    const gavel = await npmStart({ home });
    await gavel.stop();
    // wrangler keeps local state one folder further down.
    const persisted = join(home, "for-wrangler");
    mkdirSync(persisted);
    symlinkSync(join(home, "objects"), join(persisted, "v3"));
    const list = ["d1", "migrations", "list", "DATABASE", "--local", "--persist-to", persisted];
    const { status, stdout } = spawnSync(join(root, "node_modules", ".bin", "wrangler"), list, {
      cwd: root,
      encoding: "utf8",
      env: { ...process.env, CI: "true", WRANGLER_SEND_METRICS: "false", WRANGLER_WRITE_LOGS: "false" },
    });
    expect(stdout).toContain("No migrations to apply");
    expect(status).toBe(0);
  });
});

describe("migrations", () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "gavel-migrations-"));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  /** Applies them as a start does, in a runtime of its own, and then runs one statement. */
  async function startWith(migrations: readonly object[], sql: string): Promise<unknown[]> {
    writeFileSync(join(directory, migrationsFile), JSON.stringify(migrations));
    const databases = { DATABASE: "test" };
    const runtime = new Miniflare(
      convertV4MiniflareOptions({
        resourcePersistencePath: directory,
        cf: false,
        telemetry: { enabled: false },
        workers: [
          { name: "main", modules: true, script: "export default {}", d1Databases: databases },
          migrationsWorker(directory, databases),
        ],
      }),
    );
    try {
      await applyMigrations(runtime);
      const database = await runtime.getD1Database("DATABASE", "main");
      const { results } = await database.prepare(sql).all();
      return results;
    } finally {
      await runtime.dispose();
    }
  }

  const first = { name: "0001_a.sql", queries: ["CREATE TABLE a (x)", "INSERT INTO a VALUES (1)"] };
  const second = { name: "0002_b.sql", queries: ["INSERT INTO a VALUES (2)"] };
  const broken = {
    name: "0003_c.sql",
    queries: ["INSERT INTO a VALUES (3)", "INSERT INTO nowhere VALUES (1)"],
  };

  it("are applied once each, in order, however often it starts; a broken one leaves nothing behind", async () => {
    const rows = "SELECT x FROM a ORDER BY rowid";
    expect(await startWith([first], rows)).toEqual([{ x: 1 }]);
    expect(await startWith([first, second], rows)).toEqual([{ x: 1 }, { x: 2 }]);
    await expect(startWith([first, second, broken], rows)).rejects.toThrow(/0003_c\.sql: .*nowhere/);
    expect(await startWith([first, second], rows)).toEqual([{ x: 1 }, { x: 2 }]);
    expect(await startWith([first, second], "SELECT name FROM d1_migrations ORDER BY id")).toEqual([
      { name: "0001_a.sql" },
      { name: "0002_b.sql" },
    ]);
  });
});

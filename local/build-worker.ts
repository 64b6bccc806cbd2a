/**
 * Writes the Worker's bundle and what surrounds it to a directory: `index.js` and its modules as
 * `wrangler deploy` would upload them, its assets, `worker.json`, the settings of wrangler.toml in
 * Miniflare's words, and the database's migrations. wrangler.toml stays the one place that names bindings and dates.
 *
 * Usage: node local/build-worker.ts <directory>
 */
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { cpSync, existsSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import {
  unstable_getMiniflareWorkerOptions,
  unstable_readConfig,
  unstable_splitSqlQuery,
  type Unstable_Config,
} from "wrangler";
import { assetsDirectory } from "./assets-worker.ts";
import { type DatabaseMigration, migrationsFile } from "./database-migrations.ts";
import { exitWith, PlainError } from "./problem.ts";

const configPath = join(import.meta.dirname, "..", "wrangler.toml");
const migrationsPath = join(import.meta.dirname, "..", "migrations");

try {
  const target = process.argv[2];
  if (target === undefined) throw new PlainError("Usage: node local/build-worker.ts <directory>");
  build(target);
} catch (error) {
  exitWith(error);
}

/** Built aside and renamed, so that a bundle is there whole or not at all. */
function build(target: string): void {
  const draft = `${target}.${process.pid}`;
  try {
    bundle(draft);
    const { assets, ...options } = settings();
    cpSync(assets.directory, join(draft, assetsDirectory), { recursive: true });
    const written = { ...options, assets: { ...assets, directory: assetsDirectory } };
    writeFileSync(join(draft, "worker.json"), JSON.stringify(written, null, 2));
    writeFileSync(join(draft, migrationsFile), JSON.stringify(migrations(), null, 2));
    renameSync(draft, target);
  } catch (error) {
    // Another process may have been first with the same bundle.
    if (!existsSync(target)) throw error;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

function bundle(directory: string): void {
  const manifest = createRequire(import.meta.url).resolve("wrangler/package.json");
  const command = join(dirname(manifest), "bin", "wrangler.js");
  const args = ["deploy", "--dry-run", "--config", configPath, "--outdir", directory];
  const environment = {
    ...process.env,
    // The build of the assets runs in the Node that runs this.
    PATH: `${dirname(process.execPath)}${delimiter}${process.env["PATH"] ?? ""}`,
    // A local start asks nothing of the network (metrics, a newer version) and writes no logs elsewhere.
    WRANGLER_SEND_METRICS: "false",
    WRANGLER_HIDE_BANNER: "true",
    WRANGLER_WRITE_LOGS: "false",
  };
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...args], {
    env: environment,
    encoding: "utf8",
  });
  if (status !== 0) throw new PlainError(`wrangler deploy --dry-run failed.\n${stdout}${stderr}`);
}

function settings(): Record<string, unknown> & { readonly assets: { readonly directory: string } } {
  const { workerOptions } = unstable_getMiniflareWorkerOptions(configPath);
  const { modulesRules: _, rootPath: __, assets, ...options } = workerOptions;
  if (!hasDirectory(assets)) throw new PlainError("wrangler.toml names no directory of assets");
  // The variables of wrangler.toml alone: a .dev.vars file is for `wrangler dev`.
  const config = unstable_readConfig({ config: configPath }) as Pick<Unstable_Config, "name" | "vars">;
  return { ...options, assets, name: config.name, bindings: config.vars };
}

function hasDirectory(assets: unknown): assets is { readonly directory: string } {
  return typeof assets === "object" && assets !== null && "directory" in assets;
}

/** The database's migrations in their order, each taken apart into statements as wrangler does it. */
function migrations(): DatabaseMigration[] {
  return readdirSync(migrationsPath)
    .filter((name) => name.endsWith(".sql"))
    .toSorted()
    .map((name) => ({
      name,
      queries: unstable_splitSqlQuery(readFileSync(join(migrationsPath, name), "utf8")),
    }));
}

/**
 * Writes the Worker's bundle and what surrounds it to a directory: `index.js` and its modules as
 * `wrangler deploy` would upload them, and `worker.json`, the settings of wrangler.toml in
 * Miniflare's words. wrangler.toml stays the one place that names bindings and dates.
 *
 * Usage: node local/build-worker.ts <directory>
 */
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { existsSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { unstable_getMiniflareWorkerOptions, unstable_readConfig, type Unstable_Config } from "wrangler";
import { exitWith, PlainError } from "./problem.ts";

const configPath = join(import.meta.dirname, "..", "wrangler.toml");

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
    writeFileSync(join(draft, "worker.json"), JSON.stringify(settings(), null, 2));
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

function settings(): Record<string, unknown> {
  const { workerOptions } = unstable_getMiniflareWorkerOptions(configPath);
  const { modulesRules: _, rootPath: __, ...options } = workerOptions;
  // The variables of wrangler.toml alone: a .dev.vars file is for `wrangler dev`.
  const config = unstable_readConfig({ config: configPath }) as Pick<Unstable_Config, "name" | "vars">;
  return { ...options, name: config.name, bindings: config.vars };
}

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { PlainError } from "./problem.ts";

/** The repository's root. */
const root = join(import.meta.dirname, "..");

/** What the bundle is made of: a change in any of these makes another one. */
const sources = [
  "src",
  "durable-objects",
  "migrations",
  "contract",
  "scripts/assets",
  "wrangler.toml",
  "package-lock.json",
  "tsconfig.json",
];

const cache = join(root, "dist", "local");

/**
 * Makes the bundle that `wrangler deploy` would upload, or takes it from the cache while its
 * sources are unchanged, and copies it to `target`, so that a running gateway depends on nothing
 * that a later build or check-out replaces.
 * @throws {PlainError} when the bundle cannot be made.
 */
export async function prepareWorkerBundle(target: string): Promise<void> {
  const made = join(cache, digestOfSources());
  if (!existsSync(made)) {
    await build(made);
    removeOthers(made);
  }
  rmSync(target, { recursive: true, force: true });
  cpSync(made, target, { recursive: true });
}

function digestOfSources(): string {
  const digest = createHash("sha256");
  for (const path of sources.flatMap(filesUnder)) {
    // The separators keep two files' texts from passing for one.
    digest
      .update(`${path}\0`)
      .update(readFileSync(join(root, path)))
      .update("\0");
  }
  return digest.digest("hex").slice(0, 32);
}

function filesUnder(path: string): string[] {
  const full = join(root, path);
  if (!existsSync(full)) return [];
  if (statSync(full).isFile()) return [path];
  const entries = readdirSync(full, { recursive: true, withFileTypes: true, encoding: "utf8" });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .toSorted();
}

/** In a process of its own: wrangler takes a second and 100 MB that the supervisor has no use for. */
async function build(target: string): Promise<void> {
  const script = join(import.meta.dirname, "build-worker.ts");
  const child = spawn(process.execPath, [script, target], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  }
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  if (code !== 0) throw new PlainError(`the Worker's bundle could not be made:\n${output.trim()}`);
}

function removeOthers(kept: string): void {
  for (const name of readdirSync(cache)) {
    // A name with a dot is another process's build in progress.
    if (name !== basename(kept) && !name.includes(".")) {
      rmSync(join(cache, name), { recursive: true, force: true });
    }
  }
}

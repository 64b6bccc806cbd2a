/**
 * Builds what `npm run deploy` would upload, without uploading it, and holds its size: a Worker
 * starts in proportion to its code, and a dependency that drags in megabytes should be noticed.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

/** Gzipped, as the platform counts it. */
const limitBytes = 1024 * 1024;

const directory = mkdtempSync(join(tmpdir(), "gavel-bundle-"));
try {
  process.exitCode = check();
} finally {
  rmSync(directory, { recursive: true, force: true });
}

function check(): number {
  const { status, stdout, stderr } = spawnSync("wrangler", ["deploy", "--dry-run", "--outdir", directory], {
    encoding: "utf8",
    env: { ...process.env, WRANGLER_SEND_METRICS: "false", CI: "true" },
  });
  if (status !== 0) {
    process.stdout.write(`${stdout}${stderr}\n`);
    return 1;
  }
  const modules = readdirSync(directory).filter((name) => /\.(js|wasm|bin)$/.test(name));
  const contents = Buffer.concat(modules.map((name) => readFileSync(join(directory, name))));
  const size = gzipSync(contents).length;
  const fits = modules.length > 0 && size <= limitBytes;
  process.stdout.write(
    `bundle: ${kib(contents.length)}, ${kib(size)} gzipped; at most ${kib(limitBytes)}: ${fits ? "fits" : "too large"}\n`,
  );
  return fits ? 0 : 1;
}

function kib(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} KiB`;
}

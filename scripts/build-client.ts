/**
 * Builds the typed client as it is published: one module of JavaScript that imports nothing, and its
 * types. `npm run client [-- <directory>]`.
 */
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { build } from "esbuild";

const root = join(import.meta.dirname, "..");
const target = resolve(process.argv[2] ?? join(root, "dist", "client"));

rmSync(target, { recursive: true, force: true });
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: ["client/index.ts"],
  outfile: join(target, "index.js"),
  bundle: true,
  format: "esm",
  platform: "neutral",
  target: "es2022",
  metafile: true,
  logLevel: "error",
});
const strangers = Object.keys(metafile.inputs).filter((file) => !file.startsWith("client/"));
if (strangers.length > 0)
  throw new Error(`the client is to hold its own code alone, not ${strangers.join(", ")}`);

const compiler = join(
  dirname(createRequire(import.meta.url).resolve("typescript/package.json")),
  "bin",
  "tsc",
);
const { status } = spawnSync(
  process.execPath,
  [compiler, "-p", join(root, "client"), "--outDir", join(target, "types")],
  { stdio: "inherit" },
);
process.exitCode = status ?? 1;

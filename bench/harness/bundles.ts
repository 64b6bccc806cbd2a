import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { prepareWorkerBundle } from "../../local/worker-bundle.ts";

const workers = join(import.meta.dirname, "..", "workers");

/** What stands in front of the log: Gavel as it is deployed, or one of `bench/workers`. */
export type WorkerName = "gavel" | "edge-only" | "forwarder" | "measured";

/**
 * Makes a Worker's bundle in the form that `local/gateway.ts` runs, so that every Worker here has
 * the same runtime with the same options as `npm start`.
 */
export async function prepareBundle(worker: WorkerName, directory: string): Promise<void> {
  if (worker === "gavel") return prepareWorkerBundle(directory);
  const deployed = `${directory}.deployed`;
  await prepareWorkerBundle(deployed);
  mkdirSync(directory, { recursive: true });
  await build({
    entryPoints: [join(workers, `${worker}.ts`)],
    outfile: join(directory, "index.js"),
    bundle: true,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*", "node:*"],
    logLevel: "warning",
  });
  cpSync(join(deployed, "worker.json"), join(directory, "worker.json"));
  if (worker === "forwarder" || worker === "edge-only") dropObjects(join(directory, "worker.json"));
}

function dropObjects(file: string): void {
  const { durableObjects: _, ...settings } = JSON.parse(readFileSync(file, "utf8")) as {
    durableObjects?: unknown;
  };
  writeFileSync(file, JSON.stringify(settings));
}

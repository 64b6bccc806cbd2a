import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { assetsDirectory } from "../../local/assets-worker.ts";
import { migrationsFile } from "../../local/database-migrations.ts";
import { prepareWorkerBundle } from "../../local/worker-bundle.ts";

const workers = join(import.meta.dirname, "..", "workers");

/** What stands in front of the log: Gavel as it is deployed, or one of `bench/workers`. */
export type WorkerName =
  | "gavel"
  | "edge-only"
  | "forwarder"
  | "layers"
  | "measured"
  | "functions"
  | "fan-out";

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
  for (const name of ["worker.json", migrationsFile, assetsDirectory]) {
    cpSync(join(deployed, name), join(directory, name), { recursive: true });
  }
  const settings = join(directory, "worker.json");
  if (worker === "forwarder" || worker === "edge-only" || worker === "layers")
    changeSettings(settings, withoutObjects);
  if (worker === "functions") changeSettings(settings, withBinding);
  if (worker === "fan-out") changeSettings(settings, withFanOut);
}

type Settings = Readonly<Record<string, unknown>>;

function changeSettings(file: string, change: (settings: Settings) => Settings): void {
  writeFileSync(file, JSON.stringify(change(JSON.parse(readFileSync(file, "utf8")) as Settings)));
}

function withoutObjects(settings: Settings): Settings {
  return { ...settings, durableObjects: undefined };
}

/** With the one object that tells all. */
function withFanOut(settings: Settings): Settings {
  return { ...settings, durableObjects: { FAN_OUT: { className: "FanOut", useSQLite: true } } };
}

/** With a service binding to an entrypoint, as a function in another Worker has it. */
function withBinding({ serviceBindings, ...settings }: Settings): Settings {
  const binding = { name: settings["name"], entrypoint: "NoOp" };
  return { ...settings, serviceBindings: { ...(serviceBindings as object | undefined), NO_OP: binding } };
}

/** The gateway as a child of `npm start`: the deployed bundle in the Workers runtime. */
import { readFileSync, readdirSync } from "node:fs";
import { extname, join } from "node:path";
import {
  convertV4MiniflareOptions,
  Log,
  LogLevel,
  Miniflare,
  MiniflareCoreError,
  type MiniflareOptions,
  type V4WorkerOptions,
} from "miniflare";
import { type GatewayStart, type RunningService, runAsChild } from "./child-protocol.ts";
import { assetsWorker, withAssetsBound } from "./assets-worker.ts";
import { applyMigrations, migrationsWorker } from "./database-migrations.ts";
import { entryModule, entryName } from "./placeholder-location.ts";
import { driveSweep } from "./sweep.ts";
import { rateLimitsOf } from "./variables.ts";

runAsChild<GatewayStart>(
  startGateway,
  (error) => error instanceof MiniflareCoreError && error.code === "ERR_ADDRESS_IN_USE",
);

async function startGateway(start: GatewayStart): Promise<RunningService> {
  process.env["MINIFLARE_WORKERD_PATH"] = start.runtime;
  const settings = readWorkerSettings(start.bundle);
  const runtime = new Miniflare(optionsOf(start, settings));
  await runtime.ready;
  if (settings.d1Databases !== undefined) await applyMigrations(runtime);
  const url = (await runtime.unsafeGetDirectURL()).origin;
  const sweep = driveSweep(runtime);
  const stop = async (): Promise<void> => {
    sweep.stop();
    await runtime.dispose();
  };
  return { url, stop };
}

/**
 * The Worker listens by a socket of its own: Miniflare's entry Worker, which every request would
 * otherwise pass first, halves the requests per second. It stays on a free port for the sweep.
 */
function optionsOf(start: GatewayStart, settings: V4WorkerOptions): MiniflareOptions {
  const { assets, d1Databases } = settings;
  return convertV4MiniflareOptions({
    host: "127.0.0.1",
    port: 0,
    // Never fetched: Miniflare would ask Cloudflare for this machine's own location.
    cf: false,
    log: new Log(LogLevel.WARN),
    logRequests: false,
    // What the sweep is driven by.
    unsafeTriggerHandlers: true,
    telemetry: { enabled: false },
    resourcePersistencePath: start.objects,
    workers: [
      {
        ...withAssetsBound(settings),
        bindings: { ...settings.bindings, ...start.variables },
        ratelimits: rateLimitsOf(start.variables),
        modules: modulesOf(start.bundle),
        modulesRoot: "/",
        unsafeDirectSockets: [{ host: "127.0.0.1", port: start.port }],
        unsafeRegisterWorker: false,
        cacheAPI: false,
        // Off: it puts another Worker between this one and the log.
        stripCfConnectingIp: false,
      },
      ...(assets === undefined ? [] : [assetsWorker(start.bundle, assets)]),
      ...(d1Databases === undefined ? [] : [migrationsWorker(start.bundle, d1Databases)]),
    ],
  });
}

function readWorkerSettings(bundle: string): V4WorkerOptions {
  return JSON.parse(readFileSync(join(bundle, "worker.json"), "utf8")) as V4WorkerOptions;
}

const moduleTypes = {
  ".js": "ESModule",
  ".mjs": "ESModule",
  ".wasm": "CompiledWasm",
  ".bin": "Data",
  ".txt": "Text",
  ".html": "Text",
  ".sql": "Text",
} as const;

/** The bundle's modules, unchanged, behind the entry that gives requests a location. */
function modulesOf(bundle: string) {
  const modules = readdirSync(bundle).flatMap((name) => {
    const type = moduleTypes[extname(name) as keyof typeof moduleTypes];
    if (type === undefined) return [];
    return [{ type, path: `/${name}`, contents: readFileSync(join(bundle, name)) }];
  });
  return [{ type: "ESModule" as const, path: `/${entryName}`, contents: entryModule }, ...modules];
}

/**
 * `npm run dev`: the gateway under `wrangler dev`, with hot reload, over a bridge of its own. State
 * and keys are apart from those of `npm start`, under `.gavel/dev` (`GAVEL_HOME`).
 */
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { startBridge } from "../bridge/server.ts";
import { prepareWorkerBundle } from "./worker-bundle.ts";
import { claimHome, type Home, openHome, readSecrets, writeLocalFile } from "./home.ts";
import { openLog } from "./open-log.ts";
import { exitWith, PlainError } from "./problem.ts";
import { declaredTopics, readVariables, secretVariables, type Variables } from "./variables.ts";

main().catch(exitWith);

async function main(): Promise<void> {
  const home = openHome(resolve(process.env["GAVEL_HOME"] || ".gavel/dev"));
  claimHome(home);
  const secrets = readSecrets(home);
  const bundle = join(home.run, "worker");
  await prepareWorkerBundle(bundle);
  const variables = readVariables(bundle, process.env);
  const log = await openLog({ kind: "sqlite", file: home.log }, declaredTopics(variables));
  const bridge = await startBridge({ ...secrets.bridge, log, port: Number(process.env["BRIDGE_PORT"] ?? 0) });
  const port = process.env["PORT"] || "8787";
  const url = `http://127.0.0.1:${port}`;
  writeLocalFile(home, { ...secrets, url, bridge: { url: bridge.url, ...secrets.bridge } });
  console.log(`Addresses and keys: ${home.localFile}`);
  applyMigrations(home);
  const code = await runWrangler(home, port, { ...variables, ...secretVariables(secrets, bridge.url) });
  await bridge.stop();
  process.exitCode = code;
}

/** As `wrangler d1 migrations apply` does it: what it finds applied, it leaves. */
function applyMigrations(home: Home): void {
  mkdirSync(home.objects, { recursive: true });
  const args = ["d1", "migrations", "apply", "DATABASE", "--local", "--persist-to", home.objects];
  const { status, stdout, stderr } = spawnSync("wrangler", args, {
    encoding: "utf8",
    // Without a question to answer.
    env: { ...process.env, CI: "true", WRANGLER_SEND_METRICS: "false" },
  });
  if (status !== 0) throw new PlainError(`the database cannot be brought up to date.\n${stdout}${stderr}`);
}

/** Ends when wrangler does: Ctrl-C reaches both from the terminal, and a SIGTERM is handed on. */
function runWrangler(home: Home, port: string, variables: Variables): Promise<number> {
  const file = join(home.run, "dev.env");
  const lines = Object.entries(variables).map(([name, value]) => `${name}='${value}'\n`);
  writeFileSync(file, lines.join(""), { mode: 0o600 });
  const flags = ["--ip", "127.0.0.1", "--port", port, "--env-file", file, "--persist-to", home.objects];
  const child = spawn("wrangler", ["dev", ...flags], {
    stdio: "inherit",
    env: { ...process.env, WRANGLER_SEND_METRICS: "false" },
  });
  process.on("SIGINT", () => undefined);
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  return new Promise((done, fail) => {
    child.once("error", fail);
    child.once("exit", (code) => done(code ?? 0));
  });
}

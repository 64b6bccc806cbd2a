/** The bridge as a process: `node bridge/main.ts --help`. */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { help, readSettings } from "./options.ts";
import { startBridge } from "./server.ts";
import { SqliteLog } from "./sqlite-log.ts";

async function main(): Promise<void> {
  const settings = readSettings(process.argv.slice(2), process.env);
  if (settings === null) {
    process.stdout.write(help);
    return;
  }
  mkdirSync(dirname(settings.file), { recursive: true });
  const log = new SqliteLog(settings);
  const bridge = await startBridge({
    ...settings,
    log,
    onError: (error) => console.error(error),
  });
  console.log(`The bridge listens on ${bridge.url}, log ${settings.file}.`);
  const end = () => void bridge.stop().then(() => process.exit(0));
  process.once("SIGINT", end);
  process.once("SIGTERM", end);
  if (settings.exitWithParent) process.stdin.once("close", end).once("end", end).resume();
}

main().catch((error: unknown) => {
  const failure = error instanceof Error ? error : new Error(String(error));
  const taken = "code" in failure && failure.code === "EADDRINUSE";
  console.error(taken ? `The port is in use: ${failure.message}` : failure.message);
  process.exit(1);
});

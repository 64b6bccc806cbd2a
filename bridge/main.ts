/** The bridge as a process: `node bridge/main.ts --help`. */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { type BridgeSettings, help, readSettings } from "./options.ts";
import { type Bridge, startBridge } from "./server.ts";
import { SqliteLog } from "./sqlite/sqlite-log.ts";

async function run(settings: BridgeSettings): Promise<void> {
  mkdirSync(dirname(settings.file), { recursive: true });
  const bridge = await startBridge({ ...settings, log: new SqliteLog(settings) });
  console.log(`The bridge listens on ${bridge.url}; its log is ${settings.file}.`);
  endCleanly(bridge, settings.exitWithParent);
}

/** `once`: a second signal ends the process at once, which loses nothing acknowledged either. */
function endCleanly(bridge: Bridge, exitWithParent: boolean): void {
  const end = () => {
    bridge.stop().then(
      () => process.exit(0),
      (error: unknown) => fail(error),
    );
  };
  process.once("SIGINT", end);
  process.once("SIGTERM", end);
  if (!exitWithParent) return;
  // Whatever kills the parent, the system closes its end of the pipe or channel.
  if (process.channel) process.once("disconnect", end);
  else process.stdin.once("close", end).resume();
}

function fail(error: unknown): never {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(1);
}

try {
  const settings = readSettings(process.argv.slice(2), process.env);
  if (settings === null) process.stdout.write(help);
  else await run(settings);
} catch (error) {
  fail(error);
}

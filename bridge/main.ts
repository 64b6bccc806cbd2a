/** The bridge as a process: `node bridge/main.ts --help`. */
import { constants } from "node:os";
import { help } from "./options/help.ts";
import { type BridgeSettings, readSettings } from "./options/settings.ts";
import { openLog } from "./open-log.ts";
import { type Bridge, startBridge } from "./server.ts";
import { createLogger } from "./telemetry/logger.ts";
import { Telemetry } from "./telemetry/telemetry.ts";

/** A log that does not close would keep the process for good. Milliseconds. */
const CLOSE_TIMEOUT_MS = 5_000;

async function run(settings: BridgeSettings): Promise<void> {
  const telemetry = new Telemetry(createLogger(settings.logLevel));
  const { log, name } = await openLog(settings, telemetry);
  const bridge = await startBridge({ ...settings, log, telemetry });
  const { url } = bridge;
  telemetry.log("info", "listening", { url, message: `The bridge listens on ${url}; its log is ${name}.` });
  endCleanly(bridge, settings);
}

/** The first signal ends the process in order; a second one at once, which loses nothing acknowledged either. */
function endCleanly(bridge: Bridge, { exitWithParent, stopTimeoutMs }: BridgeSettings): void {
  let ending = false;
  const end = () => {
    if (ending) return;
    ending = true;
    setTimeout(() => process.exit(1), stopTimeoutMs + CLOSE_TIMEOUT_MS).unref();
    bridge.stop().then(
      () => process.exit(0),
      (error: unknown) => fail(error),
    );
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => (ending ? process.exit(128 + constants.signals[signal]) : end()));
  }
  if (!exitWithParent) return;
  // Whatever kills the parent, the system closes its end of the pipe or channel.
  if (process.channel) process.once("disconnect", end);
  else process.stdin.once("close", end).resume();
}

function fail(error: unknown): never {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(1);
}

// Whoever read the lines is gone: no reason to end what others write to and read from.
for (const output of [process.stdout, process.stderr]) output.on("error", () => undefined);

try {
  const settings = readSettings(process.argv.slice(2), process.env);
  if (settings === null) process.stdout.write(help);
  else await run(settings);
} catch (error) {
  fail(error);
}

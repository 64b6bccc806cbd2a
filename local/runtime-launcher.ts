import { rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

/**
 * Puts the Workers runtime into the home's `run` directory under a name of this home, behind a
 * launcher that watches the gateway: a `kill -9` of the gateway cannot be caught in the gateway,
 * and the runtime by itself would go on holding the port and the Durable Objects' files.
 *
 * The launcher becomes the runtime (`exec`), so that it keeps the process id that Miniflare knows;
 * what it leaves beside it looks once a second whether the gateway is there. A zombie counts as
 * gone. The second until then is covered by `endLeftovers` at the next start.
 * @returns the path to run, for `MINIFLARE_WORKERD_PATH`.
 */
export function installRuntimeLauncher(runDirectory: string): string {
  const runtime = join(runDirectory, "workerd");
  const launcher = join(runDirectory, "workerd-launcher");
  rmSync(runtime, { force: true });
  symlinkSync(runtimeBinary(), runtime);
  writeFileSync(launcher, script(runtime), { mode: 0o700 });
  return launcher;
}

/** The runtime that Miniflare itself would choose. */
function runtimeBinary(): string {
  const require = createRequire(createRequire(import.meta.url).resolve("miniflare"));
  const { default: path } = require("workerd") as { default: string };
  return path;
}

function script(runtime: string): string {
  return `#!/bin/sh
gateway=$PPID
runtime=$$
alive() { kill -0 "$1" 2>/dev/null && ! grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null; }
(
  while alive "$runtime"; do
    alive "$gateway" || kill -9 "$runtime"
    sleep 1
  done
) </dev/null >/dev/null 2>&1 3>&- &
exec ${quoted(runtime)} "$@"
`;
}

function quoted(path: string): string {
  return `'${path.replaceAll("'", "'\\''")}'`;
}

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

const main = join(import.meta.dirname, "../../bridge/main.ts");
const credentials = { BRIDGE_USERNAME: "tester", BRIDGE_PASSWORD: "only-for-tests" };
export const authorization = `Basic ${Buffer.from("tester:only-for-tests").toString("base64")}`;

export interface BridgeChild {
  readonly process: ChildProcess;
  readonly url: string;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
  readonly errors: string;
}

/** Runs the bridge's program as a process of its own. */
export function spawnBridge(args: readonly string[], env: NodeJS.ProcessEnv = credentials): ChildProcess {
  return spawn(process.execPath, [main, ...args], {
    stdio: "pipe",
    env: { PATH: process.env["PATH"], ...env },
  });
}

/** Starts the bridge and waits until it says where it listens. It never outlives the tests. */
export async function startChild(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<BridgeChild> {
  const child = spawnBridge(["--port", "0", "--exit-with-parent", ...args], { ...credentials, ...env });
  let output = "";
  child.stderr?.on("data", (chunk) => (output += String(chunk)));
  for await (const chunk of child.stdout ?? []) {
    output += String(chunk);
    const url = /listens on (http:\/\/[^;]+);/.exec(output)?.[1];
    if (url !== undefined) return { process: child, url };
  }
  throw new Error(`the bridge did not start: ${output}`);
}

/** Collects what a process says until it ends. */
export async function ended(child: ChildProcess): Promise<Ended> {
  let output = "";
  let errors = "";
  child.stdout?.on("data", (chunk) => (output += String(chunk)));
  child.stderr?.on("data", (chunk) => (errors += String(chunk)));
  const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  return { code, signal, output, errors };
}

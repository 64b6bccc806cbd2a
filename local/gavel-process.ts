import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { LocalFile } from "./home.ts";

/** Longest a start may take before it is given up; the promise to people is 10 s. */
const startMs = 30_000;

export interface GavelOptions {
  readonly home: string;
  /** Over the environment of this process; ports are free ones unless given. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Program and arguments; `node local/start.ts` unless given. */
  readonly command?: readonly [string, ...string[]];
  /** `host:port` of the Kafka to put behind the bridge; the embedded log unless given. */
  readonly kafka?: readonly string[] | undefined;
}

/** A whole Gavel, started as a child of this process: the demo's, the benchmarks' and the tests'. */
export interface GavelProcess {
  readonly child: ChildProcess;
  /** Where it is and the keys to it. */
  readonly local: LocalFile;
  /** Exit code, or null after a signal. */
  readonly ended: Promise<number | null>;
  /** What it has printed so far, standard output and error as they came. */
  output(): string;
  /** Ends it in order. */
  stop(): Promise<number | null>;
}

/** Starts Gavel and waits until it is ready. @throws {Error} with its output when it is not. */
export async function startGavelProcess(options: GavelOptions): Promise<GavelProcess> {
  const [program, ...args] = options.command ?? [process.execPath, "local/start.ts"];
  const child = spawn(program, [...args, ...logArguments(program, options)], {
    cwd: join(import.meta.dirname, ".."),
    env: { ...process.env, PORT: "0", BRIDGE_PORT: "0", ...options.environment, GAVEL_HOME: options.home },
    stdio: ["ignore", "pipe", "pipe"],
    // A group of its own, so that a terminal's Ctrl-C leaves its end to the one who started it.
    detached: true,
  });
  let printed = "";
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const ready = new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        printed += text;
        if (printed.includes("Gavel is ready.")) resolve();
      });
    }
  });
  await orFail(ready, ended, child, () => printed);
  return {
    child,
    local: JSON.parse(readFileSync(join(options.home, "local.json"), "utf8")) as LocalFile,
    ended,
    output: () => printed,
    stop() {
      child.kill("SIGTERM");
      return ended;
    },
  };
}

function logArguments(program: string, { kafka }: GavelOptions): string[] {
  if (kafka === undefined) return [];
  const log = ["--kafka", kafka.join(",")];
  // npm hands on what stands behind its separator.
  return program === "npm" ? ["--", ...log] : log;
}

async function orFail(
  ready: Promise<void>,
  ended: Promise<number | null>,
  child: ChildProcess,
  printed: () => string,
): Promise<void> {
  const fail = (reason: string): never => {
    throw new Error(`Gavel ${reason}:\n${printed()}`);
  };
  const timer = setTimeout(() => child.kill("SIGTERM"), startMs);
  try {
    await Promise.race([ready, ended.then(() => fail("did not start"))]);
  } finally {
    clearTimeout(timer);
  }
}

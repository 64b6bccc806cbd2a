import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { PlainError } from "./problem.ts";

/**
 * Every process that a start leaves running is started under a program name in its home's `run`
 * directory. The name is how a later start knows them: unlike a file of process ids it cannot be
 * stale, and it cannot name a stranger who was given an old id.
 */
export interface HomeProcess {
  readonly pid: number;
  /** Name below `run`: `bridge`, `gateway` or `workerd`. */
  readonly role: string;
}

/** The processes of this home that are alive now. */
export function processesOf(runDirectory: string): HomeProcess[] {
  const prefix = join(runDirectory, "/");
  return commands()
    .filter(({ command }) => command.startsWith(prefix))
    .map(({ pid, command }) => ({ pid, role: roleOf(command.slice(prefix.length)) }));
}

/**
 * Ends what a killed start left behind, so that no two processes ever write the same files.
 * @throws {PlainError} when one cannot be ended.
 */
export async function endLeftovers(runDirectory: string, roles: readonly string[]): Promise<void> {
  const left = (): HomeProcess[] => processesOf(runDirectory).filter(({ role }) => roles.includes(role));
  const deadline = Date.now() + 5_000;
  for (let found = left(); found.length > 0; found = left()) {
    if (Date.now() > deadline) {
      const ids = found.map(({ pid }) => pid).join(", ");
      throw new PlainError(`processes of an earlier start do not end: ${ids}.`);
    }
    for (const { pid } of found) kill(pid);
    await sleep(20);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    // Gone between the look and the kill.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function roleOf(rest: string): string {
  return rest.split(" ", 1)[0] ?? "";
}

/** Command lines by process id; zombies have none. */
function commands(): { pid: number; command: string }[] {
  return existsSync("/proc/self/cmdline") ? commandsFromProc() : commandsFromPs();
}

function commandsFromProc(): { pid: number; command: string }[] {
  const found = [];
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const command = readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ");
      found.push({ pid: Number(name), command });
    } catch {
      // It ended while the list was read, or is not ours to see.
    }
  }
  return found;
}

function commandsFromPs(): { pid: number; command: string }[] {
  const lines = execFileSync("ps", ["-A", "-ww", "-o", "pid=,command="], { encoding: "utf8" });
  return lines.split("\n").flatMap((line) => {
    const match = /^\s*(\d+)\s+(.*)$/.exec(line);
    return match ? [{ pid: Number(match[1]), command: match[2] ?? "" }] : [];
  });
}

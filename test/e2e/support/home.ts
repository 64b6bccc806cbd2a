import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach } from "vitest";
import { processesOf } from "../../../local/leftovers.ts";
import { emptyLog, kafka } from "./log.ts";
import { type GavelOptions, type GavelProcess, startGavelProcess } from "../../../local/gavel-process.ts";

const homes: string[] = [];
/** Homes that have been started on: what they go on with is in the log. */
const begun = new Set<string>();
const started: GavelProcess[] = [];

/** A directory of its own for one Gavel, gone when the file's tests are through. */
export function freshHome(): string {
  const home = mkdtempSync(join(tmpdir(), "gavel-e2e-"));
  homes.push(home);
  return home;
}

/** The real `npm start` on free ports; ended after the test that started it. */
export async function npmStart(options: Omit<GavelOptions, "command" | "kafka">): Promise<GavelProcess> {
  const gavel = await npmStartUnattended(options);
  started.push(gavel);
  return gavel;
}

/** The same for whoever ends it. A home's first start finds the log empty. */
export async function npmStartUnattended(
  options: Omit<GavelOptions, "command" | "kafka">,
): Promise<GavelProcess> {
  if (!begun.has(options.home)) await emptyLog();
  begun.add(options.home);
  return startGavelProcess({ ...options, command: ["npm", "start"], kafka });
}

/** The processes that a Gavel of this home has running, by role. */
export function runningIn(home: string): { readonly pid: number; readonly role: string }[] {
  return processesOf(join(home, "run"));
}

/** Process id of the one process of a role. @throws {Error} when there is none, or several. */
export function pidOf(home: string, role: string): number {
  const found = runningIn(home).filter((process) => process.role === role);
  if (found.length !== 1 || found[0] === undefined) {
    throw new Error(`${found.length} processes are the ${role} of ${home}`);
  }
  return found[0].pid;
}

/** `kill -9` of npm, the supervisor and everything that they started, at once. */
export function killEverything(gavel: GavelProcess, home: string): void {
  const { pid } = gavel.child;
  if (pid === undefined) throw new Error("npm start has no process id");
  // npm and the supervisor are one group; the supervisor's children have their own.
  process.kill(-pid, "SIGKILL");
  for (const running of runningIn(home)) process.kill(running.pid, "SIGKILL");
}

afterEach(async () => {
  await Promise.all(started.splice(0).map((gavel) => gavel.stop()));
});

afterAll(() => {
  for (const home of homes.splice(0)) rmSync(home, { recursive: true, force: true });
});

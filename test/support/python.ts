import { execFile, execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const requirements = join(import.meta.dirname, "..", "contract", "requirements.txt");
/** What the pinned packages need. */
const oldest = [3, 10] as const;

/** Why the tests that need Python cannot be run on this machine, as a sentence; null where they can. */
export function pythonProblem(): string | null {
  const needed = `they need Python ${oldest.join(".")} or newer`;
  try {
    const script = "import sys, venv, ensurepip; print(*sys.version_info[:2])";
    const output = execFileSync("python3", ["-c", script], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    const [major = 0, minor = 0] = output.trim().split(" ").map(Number);
    const isNewEnough = major > oldest[0] || (major === oldest[0] && minor >= oldest[1]);
    return isNewEnough ? null : `${needed}, and python3 is ${major}.${minor}.`;
  } catch {
    return `${needed}, with venv, and none is on the path.`;
  }
}

/**
 * A directory of executables (`python` among them) in which the packages of test/contract/requirements.txt
 * are installed. Made the first time, and again when the list or Python changes; kept in the user's cache.
 * @throws where they cannot be installed
 */
export async function pythonTools(): Promise<string> {
  const directory = environmentDirectory();
  const complete = join(directory, "complete");
  const executables = join(directory, "bin");
  if (existsSync(complete)) return executables;
  // One that was begun and not ended is of no use.
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  await run("python3", ["-m", "venv", directory]);
  const pip = [
    "-m",
    "pip",
    "install",
    "--quiet",
    "--disable-pip-version-check",
    "--requirement",
    requirements,
  ];
  await run(join(executables, "python"), pip, { timeout: 600_000 });
  writeFileSync(complete, "");
  return executables;
}

function environmentDirectory(): string {
  const version = execFileSync("python3", ["--version"], { encoding: "utf8" });
  const wanted = createHash("sha256").update(version).update(readFileSync(requirements)).digest("hex");
  const cache = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  return join(cache, "gavel", `python-${wanted.slice(0, 16)}`);
}

import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { PlainError } from "../problem.ts";
import { requireMaven } from "./java.ts";

/** The broker's version: pom.xml's. */
export const kafkaVersion = "4.4.0";

/** By its full name: a short one would be resolved to whatever version is the newest. */
const copyGoal = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";

/** What is kept of Kafka from one run to the next, for all of a user's projects. */
export function cacheDirectory(environment: NodeJS.ProcessEnv): string {
  const cache = environment["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  return join(cache, "gavel", `kafka-${kafkaVersion}`);
}

/**
 * The directory of the broker's jars, fetched from Maven Central the first time. It is made aside
 * and renamed, so that it is there whole or not at all, also when several fetch it at once.
 * @param tell hears one line for each step of a download.
 * @throws {PlainError} when Maven is missing or fails.
 */
export async function kafkaLibraries(
  environment: NodeJS.ProcessEnv,
  tell: (line: string) => void,
): Promise<string> {
  const cache = cacheDirectory(environment);
  const libraries = join(cache, "libs");
  if (existsSync(libraries)) return libraries;
  requireMaven(environment);
  mkdirSync(cache, { recursive: true });
  const aside = mkdtempSync(join(cache, "fetching-"));
  try {
    tell(`Fetching Apache Kafka ${kafkaVersion} from Maven Central (45 MB, once) into ${cache}.`);
    await copyDependencies(join(aside, "libs"), environment, tell);
    moveUnlessThere(join(aside, "libs"), libraries);
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
  return libraries;
}

function moveUnlessThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    // Another process was faster: its jars are the same.
    if (!existsSync(to)) throw error;
  }
}

async function copyDependencies(
  into: string,
  environment: NodeJS.ProcessEnv,
  tell: (line: string) => void,
): Promise<void> {
  const project = ["--batch-mode", "-Dstyle.color=never", "--file", join(import.meta.dirname, "pom.xml")];
  const maven = spawn("mvn", [...project, copyGoal, `-DoutputDirectory=${into}`, "-DincludeScope=runtime"], {
    stdio: ["ignore", "pipe", "inherit"],
    env: environment,
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    maven.once("error", reject);
    maven.once("close", resolve);
  });
  const errors: string[] = [];
  for await (const line of createInterface({ input: maven.stdout })) {
    const [, jar, size] = /Downloaded.*\/([^/]+\.jar) \(([\d.]+ [kM]?B)/.exec(line) ?? [];
    if (jar !== undefined) tell(`  ${jar} (${size})`);
    if (line.includes("[ERROR]")) errors.push(line);
  }
  if ((await ended) === 0) return;
  throw new PlainError(`Maven could not fetch Apache Kafka ${kafkaVersion}. ${errors[0] ?? ""}`);
}

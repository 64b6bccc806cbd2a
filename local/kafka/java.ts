import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { PlainError } from "../problem.ts";

/** Kafka 4's brokers need it. */
const leastJava = 17;

export interface Java {
  /** Program to run: `JAVA_HOME`'s, or the path's. */
  readonly program: string;
  /** As it tells it, for example `17.0.15`. */
  readonly version: string;
}

/** A Java that can run a broker. @throws {PlainError} when there is none. */
export function findJava(environment: NodeJS.ProcessEnv): Java {
  const home = environment["JAVA_HOME"];
  const program = home ? join(home, "bin", "java") : "java";
  const { stderr, status } = spawnSync(program, ["-version"], { encoding: "utf8", env: environment });
  if (status !== 0) {
    const where = home ? `JAVA_HOME (${home}) has none that runs` : "none is on the path";
    throw new PlainError(`a Kafka broker needs Java ${leastJava} or newer, and ${where}.`);
  }
  const version = /version "([^"]+)"/.exec(stderr)?.[1] ?? "unknown";
  if (Number.parseInt(version, 10) >= leastJava) return { program, version };
  throw new PlainError(`a Kafka broker needs Java ${leastJava} or newer, and ${program} is ${version}.`);
}

/** @throws {PlainError} when Maven, which fetches the broker, is not there. */
export function requireMaven(environment: NodeJS.ProcessEnv): void {
  const { status } = spawnSync("mvn", ["--version"], { stdio: "ignore", env: environment });
  if (status === 0) return;
  throw new PlainError("Apache Kafka is fetched from Maven Central by Maven, and no mvn is on the path.");
}

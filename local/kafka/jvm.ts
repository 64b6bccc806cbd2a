import { type ChildProcess, spawn } from "node:child_process";
import { openSync, closeSync } from "node:fs";
import type { Writable } from "node:stream";
import { join } from "node:path";
import type { Java } from "./java.ts";

/** How a Java program of Kafka's is run. */
export interface JvmOptions {
  readonly java: Java;
  /** Directory of Kafka's jars. */
  readonly libraries: string;
  readonly heapMegabytes: number;
  /** Whether the code is compiled for speed; otherwise for a quick start. */
  readonly optimised: boolean;
  /** Archive of loaded classes, which halves the time to start. */
  readonly archive?: string | undefined;
  /** Further flags of Java's. */
  readonly flags?: readonly string[];
}

/** Arguments for `java`: its flags, then the program's name and arguments. */
export function javaArguments(options: JvmOptions, ...program: readonly string[]): string[] {
  const quick = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"];
  return [
    `-Xmx${options.heapMegabytes}m`,
    "-XX:+ExitOnOutOfMemoryError",
    ...(options.optimised ? [] : quick),
    ...(options.archive === undefined ? [] : [`-XX:SharedArchiveFile=${options.archive}`, "-Xlog:cds=off"]),
    // The level of log4j's own default, which is to print to standard output.
    "-Dorg.apache.logging.log4j.level=WARN",
    ...(options.flags ?? []),
    "-cp",
    join(options.libraries, "*"),
    ...program,
  ];
}

/**
 * Waits on the pipe from the process that started it. A word means that Java has ended; the end of
 * the pipe without one means that the process is gone, however it died: then Java is killed, and a
 * directory that was only for that process is removed, once Java's writes to it are over.
 * The shell becomes Java (`exec`), so that the process id is Java's.
 */
const watched = `
directory=$1; shift
(read -r word <&3 || { kill -9 $$; sleep 1; [ -z "$directory" ] || rm -rf "$directory"; }) >/dev/null 2>&1 &
exec "$@" 3<&-
`;

export interface WatchedJava {
  /** File that takes what Java prints, behind what is there. */
  readonly output: string;
  /** Directory to remove if this process dies without an order. */
  readonly removedWithParent?: string | undefined;
}

/** Starts Java so that it never outlives this process, not even when this one is killed with -9. */
export function spawnWatchedJava(java: Java, args: readonly string[], watch: WatchedJava): ChildProcess {
  const output = openSync(watch.output, "a");
  try {
    const command = ["-c", watched, "sh", watch.removedWithParent ?? "", java.program, ...args];
    const child = spawn("/bin/sh", command, {
      stdio: ["ignore", output, output, "pipe"],
      // A group of its own: a terminal's Ctrl-C leaves its end to the one who started it.
      detached: true,
    });
    const pipe = child.stdio[3] as Writable;
    // The watcher may be gone already, killed with the rest of its group.
    pipe.on("error", () => undefined);
    child.once("exit", () => pipe.end("ended\n"));
    return child;
  } finally {
    closeSync(output);
  }
}

import type { Logger } from "../../src/lib/log.ts";
import type { EventLog } from "../log.ts";

/** How soon a problem that comes or goes is told. Milliseconds. */
const EVERY_MS = 1_000;

/** Logs each problem of the log when it comes and when it is gone. Answers what ends the watch. */
export function watchLog(log: EventLog, tell: Logger): () => void {
  let known: ReadonlySet<string> = new Set();
  const look = () => {
    const now = new Set(log.problems());
    for (const problem of now) if (!known.has(problem)) tell("warn", "log-problem", { problem });
    for (const problem of known) if (!now.has(problem)) tell("info", "log-problem-gone", { problem });
    known = now;
  };
  look();
  const timer = setInterval(look, EVERY_MS).unref();
  return () => clearInterval(timer);
}

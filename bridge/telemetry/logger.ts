import { type Logger, type LogLevel, logLevels } from "../../src/lib/log.ts";

/**
 * Lines of JSON, each an event with its time: what is as it should be on standard output, warnings
 * and errors on standard error. Fields never hold a secret or a client's address.
 */
export function createLogger(least: LogLevel, now: () => number = Date.now): Logger {
  const lowest = logLevels.indexOf(least);
  return (level, event, fields) => {
    if (logLevels.indexOf(level) < lowest) return;
    const line = `${JSON.stringify({ time: new Date(now()).toISOString(), level, event, ...fields })}\n`;
    (level === "info" ? process.stdout : process.stderr).write(line);
  };
}

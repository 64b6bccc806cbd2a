/** From the least weighty to the weightiest. */
export const logLevels = ["info", "warn", "error"] as const;
export type LogLevel = (typeof logLevels)[number];

/** One JSON object a line; never an address, a secret or a value of a record. */
export type Logger = (level: LogLevel, event: string, fields?: Record<string, unknown>) => void;

/** Writes lines of `least` and above to the console: standard output locally, Workers Logs when deployed. */
export function createConsoleLogger(least: LogLevel): Logger {
  const lowest = logLevels.indexOf(least);
  return (level, event, fields) => {
    if (logLevels.indexOf(level) < lowest) return;
    const line = JSON.stringify({ level, event, ...fields });
    if (level === "error") console.error(line);
    else if (level === "warn") console.warn(line);
    else console.log(line);
  };
}

export const consoleLogger: Logger = createConsoleLogger("info");

/** By what a further line is found beside its request's own. */
export interface RequestIds {
  readonly requestId: string;
  readonly traceId: string;
}

const longestMessage = 500;
const ipv4 = String.raw`\d{1,3}(?:\.\d{1,3}){3}`;
const address = new RegExp(String.raw`(?:[0-9a-f]{0,4}:){2,7}(?:${ipv4}|[0-9a-f]{0,4})|\b${ipv4}\b`, "gi");

/**
 * An error's message for a log line. Messages of failed connections may quote the peer's address,
 * so whatever looks like an IP address is taken out (guarantee 9).
 */
export function describeError(error: unknown): string {
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return message.replaceAll(address, "<address>").slice(0, longestMessage);
}

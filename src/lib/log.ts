type LogLevel = "info" | "warn" | "error";

/** One JSON object a line; never an address, a secret or a value of a record. */
export type Logger = (level: LogLevel, event: string, fields?: Record<string, unknown>) => void;

/** Writes to the Worker's console: standard output locally, Workers Logs when deployed. */
export const consoleLogger: Logger = (level, event, fields) => {
  const line = JSON.stringify({ level, event, ...fields });
  if (level === "error") console.error(line);
  else if (level === "warn") console.warn(line);
  else console.log(line);
};

/**
 * An error's message for a log line. Messages of failed connections may quote the peer's address,
 * so whatever looks like an IP address is taken out (guarantee 9).
 */
export function describeError(error: unknown): string {
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return message
    .replaceAll(/\b\d{1,3}(?:\.\d{1,3}){3}\b/g, "<address>")
    .replaceAll(/(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}/gi, "<address>")
    .slice(0, 500);
}

import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { PlainError } from "../problem.ts";

export interface Settings {
  /** Absolute path of the directory that holds the broker's log. */
  readonly directory: string;
  /** On 127.0.0.1. */
  readonly port: number;
}

export const usage = `npm run kafka

Runs one Apache Kafka broker on this machine for development, from Maven Central with Java 17 or
newer and Maven, or in Docker where these are missing, and makes Gavel's topics.

  --help             this text

Environment
  KAFKA_PORT         the broker's port on 127.0.0.1 (9092)
  GAVEL_HOME         the log is kept in kafka/ under it (.gavel)
  TOPIC_PREFIX, PARTITION_COUNT
                     names and size of the topics, instead of wrangler.toml's
`;

/**
 * Reads the command line and the environment.
 * @returns `help` when only the usage is wanted.
 * @throws {PlainError} naming what cannot be used.
 */
export function readSettings(args: readonly string[], environment: NodeJS.ProcessEnv): Settings | "help" {
  if (wantsHelp(args)) return "help";
  const text = environment["KAFKA_PORT"] || "9092";
  const port = Number(text);
  // The port after it may be the controller's.
  if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65_534) {
    throw new PlainError(`KAFKA_PORT is a port number from 1 to 65534, not ${text}.`);
  }
  return { directory: join(resolve(environment["GAVEL_HOME"] || ".gavel"), "kafka"), port };
}

function wantsHelp(args: readonly string[]): boolean {
  try {
    return (
      parseArgs({ args: [...args], options: { help: { type: "boolean", short: "h" } } }).values.help === true
    );
  } catch (error) {
    const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
    throw new PlainError(`${reason} Try: npm run kafka -- --help`);
  }
}

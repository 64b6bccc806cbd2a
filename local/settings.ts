import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { parseBroker } from "../bridge/kafka/connection.ts";
import { messageOf, PlainError } from "./problem.ts";

export interface Settings {
  /** Absolute path of the directory that holds all local state. */
  readonly home: string;
  /** The gateway's port on 127.0.0.1; 0 takes a free one. */
  readonly port: number;
  /** The bridge's port on 127.0.0.1; 0 takes a free one. */
  readonly bridgePort: number;
  /** `host:port` of brokers of the Kafka to put behind the bridge; null for the embedded log. */
  readonly kafka: readonly string[] | null;
}

export const usage = `npm start [-- options]

Runs Gavel on this machine: the gateway, and the bridge over an embedded SQLite log.

  --help               this text
  --kafka host:port[,host:port]
                       put this Kafka behind the bridge instead, and make Gavel's topics
                       where they are missing (npm run kafka starts one)

Environment
  PORT                 the gateway's port on 127.0.0.1, 0 for a free one (8787)
  BRIDGE_PORT          the bridge's port on 127.0.0.1, 0 for a free one (8790)
  GAVEL_HOME           where all state is kept (.gavel)
  any variable of wrangler.toml, such as TOPIC_PREFIX, instead of its value there
`;

/**
 * Reads the command line and the environment.
 * @returns `help` when only the usage is wanted.
 * @throws {PlainError} naming what cannot be used.
 */
export function readSettings(args: readonly string[], environment: NodeJS.ProcessEnv): Settings | "help" {
  const options = parse(args);
  if (options.help === true) return "help";
  return {
    home: resolve(environment["GAVEL_HOME"] || ".gavel"),
    port: portOf("PORT", environment["PORT"], 8787),
    bridgePort: portOf("BRIDGE_PORT", environment["BRIDGE_PORT"], 8790),
    kafka: options.kafka === undefined ? null : brokersOf(options.kafka),
  };
}

function parse(args: readonly string[]): { help?: boolean; kafka?: string } {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { help: { type: "boolean", short: "h" }, kafka: { type: "string" } },
    });
    return values;
  } catch (error) {
    const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
    throw new PlainError(`${reason} Try: npm start -- --help`);
  }
}

function brokersOf(list: string): string[] {
  const brokers = list.split(",");
  try {
    for (const broker of brokers) parseBroker(broker);
    return brokers;
  } catch (error) {
    throw new PlainError(`--kafka: ${messageOf(error)}`);
  }
}

function portOf(name: string, value: string | undefined, fallback: number): number {
  if (value === undefined || value === "") return fallback;
  const port = Number(value);
  if (/^\d{1,5}$/.test(value) && port < 65_536) return port;
  throw new PlainError(`${name} is a port number from 0 to 65535, not ${value}.`);
}

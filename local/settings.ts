import { isIP } from "node:net";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { PlainError } from "./problem.ts";

export interface Settings {
  /** Absolute path of the directory that holds all local state. */
  readonly home: string;
  /** The gateway's port on 127.0.0.1; 0 takes a free one. */
  readonly port: number;
  /** The bridge's port on 127.0.0.1; 0 takes a free one. */
  readonly bridgePort: number;
}

export const usage = `npm start [-- options]

Runs Gavel on this machine: the gateway, and the bridge over an embedded SQLite log.

  --help               this text
  --kafka host:port    put Kafka behind the bridge (not available yet)

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
  if (options.kafka !== undefined) throw kafkaRefusal(options.kafka);
  return {
    home: resolve(environment["GAVEL_HOME"] || ".gavel"),
    port: portOf("PORT", environment["PORT"], 8787),
    bridgePort: portOf("BRIDGE_PORT", environment["BRIDGE_PORT"], 8790),
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

function kafkaRefusal(address: string): PlainError {
  const [host = "", port = ""] = address.split(/:(?=\d+$)/);
  const valid = host !== "" && Number(port) > 0 && Number(port) < 65_536;
  if (!valid && isIP(address) === 0) {
    return new PlainError(`--kafka wants host:port, for example 127.0.0.1:9092, not ${address}.`);
  }
  return new PlainError(
    "--kafka is not available yet: the bridge has only its embedded log. Run npm start without it.",
  );
}

function portOf(name: string, value: string | undefined, fallback: number): number {
  if (value === undefined || value === "") return fallback;
  const port = Number(value);
  if (/^\d{1,5}$/.test(value) && port < 65_536) return port;
  throw new PlainError(`${name} is a port number from 0 to 65535, not ${value}.`);
}

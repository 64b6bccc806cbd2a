import { parseArgs } from "node:util";
import { defaultLimits, type Limits } from "./limits.ts";
import { isTopicName } from "./topic-name.ts";

export interface BridgeSettings {
  readonly host: string;
  readonly port: number;
  readonly file: string;
  readonly topics: Readonly<Record<string, number>>;
  readonly username: string;
  readonly password: string;
  readonly limits: Partial<Limits>;
  readonly exitWithParent: boolean;
}

export const help = `Usage: node bridge/main.ts --file <path> --topics <a,b,c> [options]

Speaks Upstash's REST protocol for Kafka over an embedded log in one SQLite file.

  --host <address>      where to listen (BRIDGE_HOST, default 127.0.0.1)
  --port <number>       0 takes a free one (BRIDGE_PORT, default 8790)
  --file <path>         the log's file (BRIDGE_FILE)
  --topics <a,b,c>      topics to declare (BRIDGE_TOPICS)
  --partitions <n>      partitions of each topic (BRIDGE_PARTITIONS, default 8)
  --max-body-bytes <n>  a request's body (BRIDGE_MAX_BODY_BYTES, default ${defaultLimits.maxBodyBytes})
  --max-record-bytes <n>  key, value and headers (BRIDGE_MAX_RECORD_BYTES, default ${defaultLimits.maxRecordBytes})
  --max-batch <n>       records of a produce (BRIDGE_MAX_BATCH, default ${defaultLimits.maxBatch})
  --exit-with-parent    end when standard input (or the channel to a parent that forked
                        this process) closes, so that no orphan is left behind
  --help                this text

Credentials come from the environment alone, where no process list shows them:
BRIDGE_USERNAME and BRIDGE_PASSWORD.
`;

/** Flags before environment before defaults. Null asks for the help. @throws {Error} with a plain sentence. */
export function readSettings(args: string[], env: NodeJS.ProcessEnv): BridgeSettings | null {
  const flags = readFlags(args);
  if (flags.help === true) return null;
  const partitions = integer(flags.partitions ?? env["BRIDGE_PARTITIONS"] ?? "8", "partitions", 1, 1024);
  const names = (flags.topics ?? env["BRIDGE_TOPICS"] ?? "").split(",").filter((name) => name !== "");
  return {
    host: flags.host ?? env["BRIDGE_HOST"] ?? "127.0.0.1",
    port: integer(flags.port ?? env["BRIDGE_PORT"] ?? "8790", "port", 0, 65_535),
    file: required(flags.file ?? env["BRIDGE_FILE"], "Say where the log is: --file <path>."),
    topics: Object.fromEntries(names.map((name) => [topicName(name), partitions])),
    username: required(env["BRIDGE_USERNAME"], "Set BRIDGE_USERNAME."),
    password: required(env["BRIDGE_PASSWORD"], "Set BRIDGE_PASSWORD."),
    limits: readLimits(flags, env),
    exitWithParent: flags["exit-with-parent"] === true,
  };
}

function readFlags(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        host: { type: "string" },
        port: { type: "string" },
        file: { type: "string" },
        topics: { type: "string" },
        partitions: { type: "string" },
        "max-body-bytes": { type: "string" },
        "max-record-bytes": { type: "string" },
        "max-batch": { type: "string" },
        "exit-with-parent": { type: "boolean" },
        help: { type: "boolean" },
      },
    }).values;
  } catch (error) {
    throw new Error(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function readLimits(flags: ReturnType<typeof readFlags>, env: NodeJS.ProcessEnv): Partial<Limits> {
  const limit = (flag: "max-body-bytes" | "max-record-bytes" | "max-batch", fallback: number) => {
    const variable = `BRIDGE_${flag.toUpperCase().replaceAll("-", "_")}`;
    return integer(flags[flag] ?? env[variable] ?? `${fallback}`, flag, 1, 2 ** 29);
  };
  return {
    maxBodyBytes: limit("max-body-bytes", defaultLimits.maxBodyBytes),
    maxRecordBytes: limit("max-record-bytes", defaultLimits.maxRecordBytes),
    maxBatch: limit("max-batch", defaultLimits.maxBatch),
  };
}

function integer(text: string, name: string, low: number, high: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= low && value <= high) return value;
  throw new Error(`${name} must be a whole number from ${low} to ${high}, not "${text}".`);
}

function required(value: string | undefined, sentence: string): string {
  if (value !== undefined && value !== "") return value;
  throw new Error(sentence);
}

function topicName(name: string): string {
  if (isTopicName(name)) return name;
  throw new Error(`"${name}" is not a topic's name.`);
}

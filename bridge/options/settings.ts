import type { User } from "../http/auth.ts";
import type { Limits } from "../limits.ts";
import { type LogLevel, logLevels } from "../../src/lib/log.ts";
import { type KafkaSettings, readKafka, refuseKafkaOptions } from "./kafka.ts";
import { readLimits } from "./limits.ts";
import { Sources } from "./sources.ts";
import { options } from "./table.ts";
import { readTopics, type TopicSetting } from "./topics.ts";
import { readUsers } from "./users.ts";

export interface BridgeSettings {
  readonly host: string;
  readonly port: number;
  readonly log:
    | { readonly kind: "sqlite"; readonly file: string }
    | { readonly kind: "kafka"; readonly kafka: KafkaSettings };
  readonly topics: readonly TopicSetting[];
  readonly users: readonly User[];
  readonly limits: Limits;
  readonly metricsOpen: boolean;
  readonly logLevel: LogLevel;
  readonly stopTimeoutMs: number;
  readonly exitWithParent: boolean;
}

/** Flags before environment before defaults. Null asks for the help. @throws {Error} with a plain sentence. */
export function readSettings(args: string[], env: NodeJS.ProcessEnv): BridgeSettings | null {
  const from = new Sources(args, env);
  if (from.isOn("help")) return null;
  return {
    // An empty one would listen on every address there is.
    host: from.text("host") || options.host.fallback,
    port: from.integer("port", 0, 65_535),
    log: readLog(from),
    topics: readTopics(from),
    users: readUsers(from),
    limits: readLimits(from),
    metricsOpen: from.isOn("metrics-open"),
    logLevel: from.choice("log-level", logLevels),
    stopTimeoutMs: from.integer("stop-timeout-ms", 0, 600_000),
    exitWithParent: from.isOn("exit-with-parent"),
  };
}

/** Exactly one log. A flag decides over what the environment says of the other one. */
function readLog(from: Sources): BridgeSettings["log"] {
  const by = from.given("file", "flag") || from.given("kafka", "flag") ? "flag" : "either";
  const file = from.given("file", by);
  const kafka = from.given("kafka", by);
  if (file && kafka)
    throw new Error("A bridge has one log: --file <path> or --kafka <host:port,…>, not both.");
  if (kafka) return { kind: "kafka", kafka: readKafka(from) };
  if (!file) throw new Error("Say where the log is: --file <path> or --kafka <host:port,…>.");
  refuseKafkaOptions(from);
  return { kind: "sqlite", file: from.text("file") ?? "" };
}

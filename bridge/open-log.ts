import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { EventLog } from "./log.ts";
import type { BridgeSettings } from "./options/settings.ts";
import { SqliteLog } from "./sqlite/sqlite-log.ts";
import type { Telemetry } from "./telemetry/telemetry.ts";

/** A log, and what to call it before people. */
export interface OpenedLog {
  readonly log: EventLog;
  readonly name: string;
}

/** Opens the log that the settings ask for. @throws {Error} with a plain sentence. */
export async function openLog({ log, topics }: BridgeSettings, _telemetry: Telemetry): Promise<OpenedLog> {
  if (log.kind === "kafka") throw new Error("A log in Kafka cannot be opened yet.");
  mkdirSync(dirname(log.file), { recursive: true });
  const counts = Object.fromEntries(topics.map(({ name, partitions }) => [name, partitions]));
  return { log: new SqliteLog({ file: log.file, topics: counts }), name: log.file };
}

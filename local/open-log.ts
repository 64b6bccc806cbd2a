import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { KafkaLog } from "../bridge/kafka/kafka-log.ts";
import { requiredRole } from "../bridge/kafka/topology-role.ts";
import type { EventLog } from "../bridge/log.ts";
import { SqliteLog } from "../bridge/sqlite/sqlite-log.ts";
import type { DeclaredTopic, LogChoice } from "./child-protocol.ts";

/**
 * Opens the log behind the bridge. Topics that are missing are made: the embedded log is this
 * start's own, and a Kafka that is named to a development command is one for development.
 * @throws {Error} with a plain sentence, for example when a topic has another partition count.
 */
export async function openLog(choice: LogChoice, topics: readonly DeclaredTopic[]): Promise<EventLog> {
  if (choice.kind === "kafka") return openKafka(choice.brokers, choice.replicas, topics);
  mkdirSync(dirname(choice.file), { recursive: true });
  const counts = topics.map(({ name, partitions }) => [name, partitions] as const);
  return new SqliteLog({ file: choice.file, topics: Object.fromEntries(counts) });
}

/** Of three replicas two have to be in sync; of one, one. */
export function openKafka(
  brokers: readonly string[],
  replicas: number,
  topics: readonly DeclaredTopic[],
): Promise<KafkaLog> {
  const requirements = topics.map(
    ({ role, name, partitions }) => [name, { partitions, role: requiredRole(role) }] as const,
  );
  return KafkaLog.open({
    brokers,
    clientId: "gavel-local",
    topics: Object.fromEntries(requirements),
    createTopics: { replication: replicas, minInsyncReplicas: Math.max(1, replicas - 1) },
  });
}

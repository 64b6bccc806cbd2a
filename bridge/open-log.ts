import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { KafkaLogOptions } from "./kafka/kafka-log.ts";
import { requiredRole } from "./kafka/topology-role.ts";
import type { EventLog } from "./log.ts";
import type { KafkaSettings, SaslSettings, TlsSettings } from "./options/kafka.ts";
import type { BridgeSettings } from "./options/settings.ts";
import type { TopicSetting } from "./options/topics.ts";
import { SqliteLog } from "./sqlite/sqlite-log.ts";
import type { Telemetry } from "./telemetry/telemetry.ts";

/** A log, and what to call it before people. */
export interface OpenedLog {
  readonly log: EventLog;
  readonly name: string;
}

/** Opens the log that the settings ask for. @throws {Error} with a plain sentence. */
export async function openLog(settings: BridgeSettings, telemetry: Telemetry): Promise<OpenedLog> {
  const { log, topics, limits } = settings;
  if (log.kind === "kafka") {
    // Loaded where it is used: the client makes every start slower, and every garbage collection.
    const { observeBrokers } = await import("./kafka/broker-errors.ts");
    const { KafkaLog } = await import("./kafka/kafka-log.ts");
    observeBrokers(telemetry);
    warnOfPlainText(log.kafka, telemetry);
    const options = kafkaOptions(log.kafka, topics, limits.maxPendingBytes);
    return { log: await KafkaLog.open(options), name: `Kafka at ${log.kafka.brokers.join(",")}` };
  }
  mkdirSync(dirname(log.file), { recursive: true });
  const counts = Object.fromEntries(topics.map(({ name, partitions }) => [name, partitions]));
  return { log: new SqliteLog({ file: log.file, topics: counts }), name: log.file };
}

/** What is sent as it is, whoever is on the way can read. SCRAM alone never sends its secret. */
function warnOfPlainText({ tls, sasl }: KafkaSettings, telemetry: Telemetry): void {
  if (tls !== null || sasl === null || sasl.mechanism.startsWith("SCRAM")) return;
  telemetry.log("warn", "plain-text-secret", {
    message: `${sasl.mechanism} without --tls: the credentials travel readable to the brokers.`,
  });
}

function kafkaOptions(
  kafka: KafkaSettings,
  topics: readonly TopicSetting[],
  maxPendingBytes: number,
): KafkaLogOptions {
  const { brokers, clientId, compression, lingerMs, produceTimeoutMs, createTopics, tls, sasl } = kafka;
  return {
    brokers,
    clientId,
    compression,
    lingerMs,
    produceTimeoutMs,
    createTopics,
    maxPendingBytes,
    keepMs: kafka.longestAuctionMs,
    topics: Object.fromEntries(
      topics.map(({ name, partitions, role }) => [name, { partitions, role: requiredRole(role) }]),
    ),
    ...(tls === null ? {} : { tls: tlsOptions(tls) }),
    ...(sasl === null ? {} : { sasl: saslOptions(sasl) }),
  };
}

function tlsOptions({ ca, client, serverName }: TlsSettings): NonNullable<KafkaLogOptions["tls"]> {
  return {
    ...(ca === null ? {} : { ca }),
    ...(client === null ? {} : { cert: client.cert, key: client.key.reveal() }),
    ...(serverName === null ? {} : { servername: serverName }),
  };
}

function saslOptions(sasl: SaslSettings): NonNullable<KafkaLogOptions["sasl"]> {
  if ("token" in sasl) return { mechanism: sasl.mechanism, token: sasl.token };
  return {
    mechanism: sasl.mechanism,
    username: sasl.username.reveal(),
    password: sasl.password.reveal(),
  };
}

import { readFile } from "node:fs/promises";
import { Secret } from "../secret.ts";
import { readText, type Sources } from "./sources.ts";
import { kafkaOptions } from "./table.ts";

export interface TlsSettings {
  /** PEM; null trusts the well-known authorities. */
  readonly ca: string | null;
  /** PEM, of the bridge itself. */
  readonly client: { readonly cert: string; readonly key: Secret } | null;
  /** The name to expect in every broker's certificate; null expects each broker's host. */
  readonly serverName: string | null;
}

const passwordMechanisms = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] as const;
const mechanisms = [...passwordMechanisms, "OAUTHBEARER"] as const;
const codecs = ["none", "gzip", "snappy", "lz4", "zstd"] as const;

export type SaslSettings =
  | {
      readonly mechanism: (typeof passwordMechanisms)[number];
      readonly username: Secret;
      readonly password: Secret;
    }
  | {
      readonly mechanism: "OAUTHBEARER";
      /** Asked for each authentication: tokens end, and whoever renews them rewrites the file. */
      readonly token: () => Promise<string>;
    };

export interface KafkaSettings {
  /** Each `host:port`. */
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly tls: TlsSettings | null;
  readonly sasl: SaslSettings | null;
  readonly compression: (typeof codecs)[number];
  readonly lingerMs: number;
  readonly produceTimeoutMs: number;
  readonly longestAuctionMs: number;
  readonly createTopics: { readonly replication: number; readonly minInsyncReplicas: number } | null;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** @throws {Error} with a plain sentence. */
export function readKafka(from: Sources): KafkaSettings {
  return {
    brokers: readBrokers(from),
    clientId: from.text("client-id") ?? "",
    tls: readTls(from),
    sasl: readSasl(from),
    compression: from.choice("compression", codecs),
    lingerMs: from.integer("linger-ms", 0, 10_000),
    produceTimeoutMs: from.integer("produce-timeout-ms", 100, 600_000),
    longestAuctionMs: from.integer("longest-auction-days", 1, 36_500) * DAY_MS,
    createTopics: readCreation(from),
  };
}

/**
 * Nothing of Kafka's may be given for an embedded log: who writes `--tls` there would believe that
 * something is encrypted. @throws {Error} with a plain sentence.
 */
export function refuseKafkaOptions(from: Sources): void {
  const given = kafkaOptions.find((name) => from.given(name, "flag"));
  if (given !== undefined) throw new Error(`--${given} is for --kafka: an embedded log has no brokers.`);
}

function readBrokers(from: Sources): readonly string[] {
  const brokers = from.list("kafka");
  if (brokers.length === 0)
    throw new Error("--kafka names no broker: write host:port, for example kafka-1:9092.");
  for (const broker of brokers) {
    const port = /^(?:[^\s:[\]/@]+|\[[\da-f:.]+\]):(\d{1,5})$/i.exec(broker)?.[1];
    if (port === undefined || Number(port) < 1 || Number(port) > 65_535) {
      throw new Error('kafka must be a list such as "one.example:9092,two.example:9092".');
    }
  }
  return brokers;
}

function readTls(from: Sources): TlsSettings | null {
  const details = ["tls-ca", "tls-cert", "tls-key", "tls-server-name"] as const;
  if (!from.isOn("tls")) {
    const given = details.find((name) => from.given(name));
    if (given !== undefined) throw new Error(`${given} is given without --tls.`);
    return null;
  }
  const cert = from.file("tls-cert");
  const key = from.file("tls-key");
  if ((cert === undefined) !== (key === undefined)) throw new Error("tls-cert and tls-key go together.");
  return {
    ca: from.file("tls-ca") ?? null,
    client: cert === undefined || key === undefined ? null : { cert, key: new Secret(key) },
    serverName: from.text("tls-server-name") ?? null,
  };
}

function readSasl(from: Sources): SaslSettings | null {
  const username = from.secretOrFile("BRIDGE_SASL_USERNAME");
  const password = from.secretOrFile("BRIDGE_SASL_PASSWORD");
  const tokenFile = from.text("sasl-token-file");
  if (!from.given("sasl")) {
    if (username === undefined && password === undefined && tokenFile === undefined) return null;
    throw new Error("Credentials for the brokers are given, but no mechanism: --sasl <mechanism>.");
  }
  const mechanism = from.choice("sasl", mechanisms);
  if (mechanism === "OAUTHBEARER") {
    if (tokenFile === undefined) throw new Error("OAUTHBEARER needs --sasl-token-file.");
    requireToken(readText(tokenFile, "sasl-token-file"), tokenFile);
    return { mechanism, token: async () => requireToken(await readFile(tokenFile, "utf8"), tokenFile) };
  }
  if (username === undefined || password === undefined) {
    throw new Error(`${mechanism} needs BRIDGE_SASL_USERNAME and BRIDGE_SASL_PASSWORD.`);
  }
  return { mechanism, username, password };
}

function requireToken(text: string, path: string): string {
  const token = text.trim();
  if (token === "") throw new Error(`The file of sasl-token-file, ${path}, holds no token.`);
  return token;
}

function readCreation(from: Sources): KafkaSettings["createTopics"] {
  if (!from.isOn("create-topics")) return null;
  const replication = from.integer("replication", 1, 32);
  const minInsyncReplicas = from.integer("min-insync-replicas", 1, 32);
  if (minInsyncReplicas <= replication) return { replication, minInsyncReplicas };
  throw new Error(
    `min-insync-replicas (${minInsyncReplicas}) must not be above replication (${replication}): nothing could be written.`,
  );
}

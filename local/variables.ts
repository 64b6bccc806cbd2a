import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Scope } from "../src/config.ts";
import { type TopicRole, topics } from "../src/topics.ts";
import type { DeclaredTopic } from "./child-protocol.ts";
import type { LocalFile, LocalSecrets } from "./home.ts";

export type Variables = Readonly<Record<string, string>>;

/** What each local key may do. */
const scopesOf: Readonly<Record<keyof LocalFile["keys"], readonly Scope[]>> = {
  client: ["items:write", "bids:write", "read"],
  backend: ["items:write", "bids:write", "read"],
  trusted: ["items:write", "bids:write", "read", "trusted-time", "trusted-proxy"],
  operator: ["operate", "read"],
};

/** What is another on one machine than in a deployment: subscribers are on it too. */
const localVariables: Variables = { ALLOW_LOOPBACK_ENDPOINTS: "true" };

/** wrangler.toml's variables, each giving way to one of the same name in the environment. */
export function readVariables(bundle: string, environment: NodeJS.ProcessEnv): Variables {
  const text = readFileSync(join(bundle, "worker.json"), "utf8");
  const { bindings } = JSON.parse(text) as { readonly bindings: Variables };
  return Object.fromEntries(
    Object.entries(bindings).map(([name, value]) => [
      name,
      environment[name] ?? localVariables[name] ?? value,
    ]),
  );
}

/** Every topic of the topology under the prefix, with the pinned partition count. */
export function declaredTopics(variables: Variables): DeclaredTopic[] {
  const prefix = variables["TOPIC_PREFIX"] ?? "";
  const partitions = Number(variables["PARTITION_COUNT"]);
  return Object.entries(topics).map(([role, name]) => ({
    role: role as TopicRole,
    name: `${prefix}${name}`,
    partitions,
  }));
}

/** What a deployment keeps as secrets: the way to the log, and the hashes of the API keys. */
export function secretVariables(secrets: LocalSecrets, bridgeUrl: string): Variables {
  return {
    KAFKA_URL: bridgeUrl,
    KAFKA_USERNAME: secrets.bridge.username,
    KAFKA_PASSWORD: secrets.bridge.password,
    API_KEYS: JSON.stringify(apiKeys(secrets)),
  };
}

function apiKeys({ keys, subjects }: LocalSecrets): object[] {
  return (Object.keys(scopesOf) as (keyof typeof keys)[]).map((id) => ({
    id,
    sha256: createHash("sha256").update(keys[id]).digest("hex"),
    scopes: scopesOf[id],
    ...(id === "client" ? { subject: subjects.client } : {}),
  }));
}

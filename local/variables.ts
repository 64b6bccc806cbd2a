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

/** Each limit's binding, and the variable that tells its quota. */
const limits = {
  RATE_LIMIT_CREDENTIAL: "RATE_LIMIT_CREDENTIAL_QUOTA",
  RATE_LIMIT_ADDRESS: "RATE_LIMIT_ADDRESS_QUOTA",
  RATE_LIMIT_UNKNOWN: "RATE_LIMIT_UNKNOWN_QUOTA",
} as const;

/**
 * What is another on one machine than in a deployment: subscribers are on it too, and nothing is
 * limited unless the environment says so.
 */
const localVariables: Variables = {
  ALLOW_LOOPBACK_ENDPOINTS: "true",
  ...Object.fromEntries(Object.values(limits).map((quota) => [quota, ""])),
};

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

type RateLimits = Record<string, { namespace_id: string; simple: { limit: number; period: 10 | 60 } }>;

/** The limits that the variables set, in Miniflare's words. What is no quota the Worker refuses. */
export function rateLimitsOf(variables: Variables): RateLimits {
  return Object.fromEntries(
    Object.entries(limits).flatMap(([binding, variable]) => {
      const [, limit, period] = /^(\d+)\/(10|60)$/.exec(variables[variable] ?? "") ?? [];
      if (limit === undefined) return [];
      const simple = { limit: Number(limit), period: period === "10" ? 10 : 60 } as const;
      return [[binding, { namespace_id: binding, simple }]];
    }),
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

import { describe, expect, test } from "vitest";
import { ConfigError, configFromEnv } from "../../src/config.ts";

const required = {
  KAFKA_URL: "http://127.0.0.1:8790",
  KAFKA_USERNAME: "gavel",
  KAFKA_PASSWORD: "only-for-tests",
  PARTITION_COUNT: "8",
};
const key = { id: "mobile", sha256: "ab".repeat(32), scopes: ["bids:write"], subject: "ada" };

function refusal(change: Record<string, string | undefined>): string {
  try {
    configFromEnv({ ...required, ...change });
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return "";
}

describe("the configuration", () => {
  test("has the interface's defaults", () => {
    expect(configFromEnv(required)).toEqual({
      kafka: { url: "http://127.0.0.1:8790", username: "gavel", password: "only-for-tests" },
      partitionCount: 8,
      topicPrefix: "",
      closeGraceMs: 2000,
      produceTimeoutMs: 1500,
      earlyBidWaitMs: 3_600_000,
      retentionMs: 604_800_000,
      allowLoopbackEndpoints: false,
      subscriberHosts: [],
      subscribers: {
        timeoutMs: 10_000,
        attempts: 16,
        firstDelayMs: 1_000,
        longestDelayMs: 14_400_000,
        concurrency: 32,
      },
      functionConcurrency: 256,
      logLevel: "info",
      limits: { maxBatchEvents: 1000, maxBodyBytes: 1_048_576, bodyTimeoutMs: 10_000 },
      feedObjects: 8,
      live: { mostSockets: 4_000, acknowledgeMs: 15_000, sessionMs: 3_600_000, repairMs: 30_000 },
      apiKeys: new Map(),
      tokens: undefined,
      corsOrigins: new Set(),
      rateLimits: { credential: null, address: null, unknown: null },
    });
  });

  test("reads API keys as hashes with scopes", () => {
    const { apiKeys } = configFromEnv({ ...required, API_KEYS: JSON.stringify([key]) });
    expect(apiKeys.get("mobile")).toEqual({
      id: "mobile",
      sha256: "ab".repeat(32),
      scopes: new Set(["bids:write"]),
      subject: "ada",
    });
  });

  test("reads the hosts of subscribers, each as a URL holds it", () => {
    const read = (SUBSCRIBER_HOSTS: string) =>
      configFromEnv({ ...required, SUBSCRIBER_HOSTS }).subscriberHosts;
    expect(read("")).toEqual([]);
    expect(read("hooks.shop.com")).toEqual(["hooks.shop.com"]);
    expect(read(" Hooks.Shop.com. , *.partner.org ")).toEqual(["hooks.shop.com", "*.partner.org"]);
  });

  test("names everything that is wrong at once, and no value", () => {
    const message = refusal({
      KAFKA_URL: "ftp://secret.example",
      KAFKA_PASSWORD: undefined,
      PARTITION_COUNT: "0x8",
    });
    for (const name of ["KAFKA_URL", "KAFKA_PASSWORD", "PARTITION_COUNT"]) expect(message).toContain(name);
    expect(message).not.toContain("secret");
  });

  test.each([
    ["a produce that may outlast the grace", { PRODUCE_TIMEOUT_MS: "2000" }, "shorter than CLOSE_GRACE_MS"],
    ["keys that are no JSON", { API_KEYS: "gvl_x_y" }, "API_KEYS: is not JSON"],
    ["a key twice", { API_KEYS: JSON.stringify([key, key]) }, "names a key twice"],
    [
      "an unknown scope",
      { API_KEYS: JSON.stringify([{ ...key, scopes: ["admin"] }]) },
      "API_KEYS.0.scopes.0",
    ],
    ["a key in plain text", { API_KEYS: JSON.stringify([{ ...key, secret: "x" }]) }, "API_KEYS.0"],
    ["a prefix that no topic can have", { TOPIC_PREFIX: "a b" }, "TOPIC_PREFIX"],
  ])("refuses %s", (_, change, words) => {
    expect(refusal(change)).toContain(words);
  });

  // What is no host name may be a typing error, and a list without it could open what it was to close.
  test.each([
    ",",
    "hooks.shop.com,",
    "https://hooks.shop.com",
    "hooks.shop.com:8443",
    "*",
    "*.com",
    "a.*.com",
  ])("refuses the hosts %j", (list) => {
    expect(refusal({ SUBSCRIBER_HOSTS: list })).toContain("SUBSCRIBER_HOSTS: is no list of host names");
  });

  test("is parsed once for an environment", () => {
    const env = { ...required };
    expect(configFromEnv(env)).toBe(configFromEnv(env));
  });
});

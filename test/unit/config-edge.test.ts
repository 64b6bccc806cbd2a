import { describe, expect, test } from "vitest";
import { unstable_readConfig } from "wrangler";
import { ConfigError, configFromEnv } from "../../src/config.ts";

const required = {
  KAFKA_URL: "http://127.0.0.1:8790",
  KAFKA_USERNAME: "gavel",
  KAFKA_PASSWORD: "only-for-tests",
  PARTITION_COUNT: "8",
};
const issuer = {
  JWT_ISSUER: "https://login.example.com/",
  JWT_AUDIENCE: "gavel",
  JWT_JWKS_URL: "https://login.example.com/keys",
};

const read = (change: Record<string, string>) => configFromEnv({ ...required, ...change });

function refusal(change: Record<string, string>): string {
  try {
    read(change);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return "";
}

describe("tokens", () => {
  test("are taken where an issuer is set, with pinned algorithms and few scopes", () => {
    expect(read({}).tokens).toBeUndefined();
    expect(read(issuer).tokens).toEqual({
      issuer: "https://login.example.com/",
      audience: "gavel",
      keysUrl: "https://login.example.com/keys",
      algorithms: ["ES256", "RS256"],
      clockSkewS: 30,
      scopeClaim: "scope",
      scopes: new Set(["items:write", "bids:write", "read"]),
    });
  });

  test.each([
    ["a part of the issuer", { ...issuer, JWT_AUDIENCE: "" }, "JWT_AUDIENCE: is missing"],
    ["no algorithm", { ...issuer, JWT_ALGORITHMS: " " }, "JWT_ALGORITHMS"],
    ["the algorithm none", { ...issuer, JWT_ALGORITHMS: "none" }, "JWT_ALGORITHMS"],
    ["an algorithm with a shared secret", { ...issuer, JWT_ALGORITHMS: "ES256,HS256" }, "JWT_ALGORITHMS"],
    ["a scope that there is not", { ...issuer, JWT_SCOPES: "admin" }, "JWT_SCOPES"],
    [
      "keys from where anybody may answer",
      { ...issuer, JWT_JWKS_URL: "http://login.example.com/k" },
      "https",
    ],
    ["keys from this machine", { ...issuer, JWT_JWKS_URL: "http://127.0.0.1:9/k" }, "https"],
    [
      "keys without TLS from a name that only looks like this machine",
      { ...issuer, JWT_JWKS_URL: "http://127.0.0.1.example.com/k", ALLOW_LOOPBACK_ENDPOINTS: "true" },
      "https",
    ],
  ])("refuses %s", (_, change, words) => {
    expect(refusal(change)).toContain(words);
  });

  test("may have keys on this machine in development", () => {
    const local = { ...issuer, JWT_JWKS_URL: "http://127.0.0.1:9/k", ALLOW_LOOPBACK_ENDPOINTS: "true" };
    expect(read(local).tokens?.keysUrl).toBe("http://127.0.0.1:9/k");
  });
});

describe("origins", () => {
  test("are read as browsers write them", () => {
    const CORS_ORIGINS = "https://shop.example.com, http://localhost:3000";
    expect(read({ CORS_ORIGINS }).corsOrigins).toEqual(
      new Set(["https://shop.example.com", "http://localhost:3000"]),
    );
    expect(read({ CORS_ORIGINS: "" }).corsOrigins).toEqual(new Set());
  });

  test.each([
    "*",
    "null",
    "https://*.example.com",
    "shop.example.com",
    "https://shop.example.com/",
    "https://shop.example.com:443",
    "https://SHOP.example.com",
    "file://",
  ])("refuses %j", (CORS_ORIGINS) => {
    expect(refusal({ CORS_ORIGINS })).toContain("CORS_ORIGINS: is no list of origins");
  });
});

describe("quotas", () => {
  test.each(["0/10", "1000", "1000/30", "1000/10s", "-1/10"])("refuses %j", (quota) => {
    expect(refusal({ RATE_LIMIT_CREDENTIAL_QUOTA: quota })).toContain("RATE_LIMIT_CREDENTIAL_QUOTA");
  });

  test("that clients are told are those of the bindings", () => {
    const { ratelimits, vars } = unstable_readConfig({ config: "wrangler.toml" }) as unknown as {
      readonly ratelimits: readonly {
        readonly name: string;
        readonly namespace_id: string;
        readonly simple: { readonly limit: number; readonly period: number };
      }[];
      readonly vars: Readonly<Record<string, string>>;
    };
    expect(ratelimits).toHaveLength(3);
    for (const { name, simple } of ratelimits) {
      expect(vars[`${name}_QUOTA`], name).toBe(`${simple.limit}/${simple.period}`);
    }
    expect(new Set(ratelimits.map(({ namespace_id: id }) => id)).size).toBe(3);
  });
});

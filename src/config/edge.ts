/** The part of the configuration that says who may: tokens, browsers' origins, rate limits. */
import { z } from "zod";
import { type Scope, scopes } from "../credentials/scopes.ts";
import type { TokenSettings } from "../credentials/tokens.ts";
import type { LimitName, Quota } from "../http/rate-limits.ts";

/** Settings as a deployment uses them. */
export interface EdgeConfig {
  /** Absent where no issuer's tokens are taken. */
  readonly tokens: TokenSettings | undefined;
  /** Of the pages that browsers may call from. */
  readonly corsOrigins: ReadonlySet<string>;
  readonly rateLimits: Readonly<Record<LimitName, Quota | null>>;
}

// What anybody can verify, and nobody but the issuer sign: no secret is shared.
const asymmetric = [
  ...["ES256", "ES384", "ES512", "RS256", "RS384", "RS512"],
  ...["PS256", "PS384", "PS512", "EdDSA", "Ed25519"],
] as const;

/** A text with commas or spaces between its entries. */
const list = z.string().transform((text) => text.split(/[\s,]+/).filter((entry) => entry !== ""));

const algorithms = list.pipe(z.array(z.enum(asymmetric)).min(1));
const scopeList = list.pipe(z.array(z.enum(scopes)));

const origins = list.refine(
  (entries) => entries.every(isOrigin),
  "is no list of origins, such as https://shop.example.com, with commas between them",
);

/** Exactly as browsers write it: no path, no default port, no wildcard. */
function isOrigin(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^https?:\/\/[^*]+$/.test(text) && url.origin === text;
}

/** `1000/10`: a thousand requests in ten seconds. The platform counts over 10 s or 60 s. */
const quota = z
  .string()
  .regex(/^(?:[1-9]\d{0,8}\/(?:10|60))?$/, "is no quota, such as 1000/10: requests in 10 s or 60 s")
  .transform((text): Quota | null => {
    const [requests = "", seconds = ""] = text.split("/");
    return text === "" ? null : { requests: Number(requests), seconds: Number(seconds) };
  })
  .default(null);

export const edgeVariables = {
  JWT_ISSUER: z.string().default(""),
  JWT_AUDIENCE: z.string().default(""),
  JWT_JWKS_URL: z.union([z.literal(""), z.url({ protocol: /^https?$/ })]).default(""),
  JWT_ALGORITHMS: algorithms.default(["ES256", "RS256"]),
  JWT_CLOCK_SKEW_S: z
    .string()
    .regex(/^\d{1,3}$/, "is not a whole number below 1000")
    .transform(Number)
    .default(30),
  JWT_SCOPE_CLAIM: z.string().min(1).max(200).default("scope"),
  JWT_SCOPES: scopeList.default(["items:write", "bids:write", "read"]),
  CORS_ORIGINS: origins.default([]),
  RATE_LIMIT_CREDENTIAL_QUOTA: quota,
  RATE_LIMIT_ADDRESS_QUOTA: quota,
  RATE_LIMIT_UNKNOWN_QUOTA: quota,
};

type EdgeVariables = z.output<z.ZodObject<typeof edgeVariables>>;

/** What is wrong with variables that are right one by one: [variable, sentence]; null for nothing. */
export function edgeFault(
  value: EdgeVariables & { readonly ALLOW_LOOPBACK_ENDPOINTS: boolean },
): readonly [variable: string, message: string] | null {
  const names = ["JWT_ISSUER", "JWT_AUDIENCE", "JWT_JWKS_URL"] as const;
  const missing = names.filter((name) => value[name] === "");
  if (missing.length === names.length) return null;
  if (missing[0] !== undefined) return [missing[0], `is missing beside the other two of ${names.join(", ")}`];
  const url = new URL(value.JWT_JWKS_URL);
  const isLoopback = /^(?:localhost|127\.0\.0\.1|\[::1\])$/.test(url.hostname);
  if (url.protocol === "https:" || (isLoopback && value.ALLOW_LOOPBACK_ENDPOINTS)) return null;
  return ["JWT_JWKS_URL", "must be https: who answers decides who may"];
}

export function edgeConfig(value: EdgeVariables): EdgeConfig {
  return {
    tokens: value.JWT_ISSUER === "" ? undefined : tokenSettings(value),
    corsOrigins: new Set(value.CORS_ORIGINS),
    rateLimits: {
      credential: value.RATE_LIMIT_CREDENTIAL_QUOTA,
      address: value.RATE_LIMIT_ADDRESS_QUOTA,
      unknown: value.RATE_LIMIT_UNKNOWN_QUOTA,
    },
  };
}

function tokenSettings(value: EdgeVariables): TokenSettings {
  return {
    issuer: value.JWT_ISSUER,
    audience: value.JWT_AUDIENCE,
    keysUrl: value.JWT_JWKS_URL,
    algorithms: value.JWT_ALGORITHMS,
    clockSkewS: value.JWT_CLOCK_SKEW_S,
    scopeClaim: value.JWT_SCOPE_CLAIM,
    scopes: new Set<Scope>(value.JWT_SCOPES),
  };
}

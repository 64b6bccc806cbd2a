import type { Credential } from "../ingest/authenticate.ts";
import { describeError, type Logger } from "../lib/log.ts";
import { Problem } from "../lib/problem.ts";
import { sha256 } from "../lib/sha256.ts";
import { forwardedClient } from "../ingest/client-address.ts";
import { clientPart } from "./addresses.ts";

/** How many requests in how many seconds. */
export interface Quota {
  readonly requests: number;
  readonly seconds: number;
}

/**
 * What is counted: requests of a credential; requests from an address; and, by address, attempts with
 * credentials that are not known yet, or refused.
 */
export type LimitName = "credential" | "address" | "unknown";

/** What is used of Cloudflare's binding. It tells no remaining count and no time. */
export interface LimitBinding {
  limit(options: { readonly key: string }): Promise<{ readonly success: boolean }>;
}

export interface RateLimits {
  /** The header `RateLimit-Policy`; null where nothing is limited. */
  readonly policy: string | null;
  /** One more request of a credential. @throws {Problem} `rate-limited` */
  count(credential: Credential, headers: Headers): Promise<void>;
  /** One more request that needs no credential. @throws {Problem} `rate-limited` */
  countOpen(headers: Headers): Promise<void>;
  /** One more attempt with a credential that is not known. @throws {Problem} `rate-limited` */
  countUnknown(headers: Headers): Promise<void>;
}

interface Limit {
  readonly name: LimitName;
  readonly quota: Quota;
  readonly binding: LimitBinding;
}

export interface RateLimitOptions {
  /** A limit without a binding, or without a quota, is off. */
  readonly bindings: Readonly<Record<LimitName, LimitBinding | undefined>>;
  readonly quotas: Readonly<Record<LimitName, Quota | null>>;
  /** Keeps addresses from being told by what they are counted under. */
  readonly secret: string;
  readonly logger: Logger;
}

/**
 * Limits by Cloudflare's counters. A request that its credential's limit refuses does not count for
 * its address: others behind the address keep what is left of it. Counters that fail refuse nobody.
 */
export function createRateLimits({ bindings, quotas, secret, logger }: RateLimitOptions): RateLimits {
  const limitOf = (name: LimitName): Limit | undefined => {
    const [binding, quota] = [bindings[name], quotas[name]];
    return binding === undefined || quota === null ? undefined : { name, quota, binding };
  };
  const [credentials, addresses, unknown] = [limitOf("credential"), limitOf("address"), limitOf("unknown")];
  const check = (limit: Limit, key: string): Promise<void> => checkLimit(limit, key, logger);
  const checkAddress = async (limit: Limit | undefined, address: string | null): Promise<void> => {
    const part = limit === undefined || address === null ? null : clientPart(address);
    if (limit !== undefined && part !== null) await check(limit, hidden(part, secret));
  };
  return {
    policy: policyOf([credentials, addresses, unknown]),
    async count(credential, headers) {
      if (credentials === undefined && addresses === undefined) return;
      // A proxy's clients are told apart: none of them uses up the proxy's, or another's, quota.
      const forwarded = credential.scopes.has("trusted-proxy")
        ? (forwardedClient(headers)?.address ?? null)
        : null;
      if (credentials !== undefined) await check(credentials, accountOf(credential, forwarded, secret));
      await checkAddress(addresses, forwarded ?? connectingAddress(headers));
    },
    countOpen: (headers) => checkAddress(addresses, connectingAddress(headers)),
    countUnknown: (headers) => checkAddress(unknown, connectingAddress(headers)),
  };
}

/** Source: draft-ietf-httpapi-ratelimit-headers-10, section 3. */
function policyOf(limits: readonly (Limit | undefined)[]): string | null {
  const policies = limits
    .filter((limit) => limit !== undefined)
    .map(({ name, quota }) => `"${name}";q=${quota.requests};w=${quota.seconds}`);
  return policies.length === 0 ? null : policies.join(", ");
}

async function checkLimit({ name, quota, binding }: Limit, key: string, logger: Logger): Promise<void> {
  let success: boolean;
  try {
    ({ success } = await binding.limit({ key: `${name} ${key}` }));
  } catch (error) {
    logger("warn", "rate-limit-unavailable", { limit: name, error: describeError(error) });
    return;
  }
  if (success) return;
  const { requests, seconds } = quota;
  throw new Problem("rate-limited", `${subjects[name]} more than ${requests} times in ${seconds} s`, {
    headers: { "retry-after": String(seconds) },
    cause: `quota "${name}"`,
  });
}

const subjects: Readonly<Record<LimitName, string>> = {
  credential: "The credential was used",
  address: "The address sent requests",
  unknown: "The address sent credentials that were not known",
};

/** A key and a token's subject may have the same name, and are not the same sender. */
function accountOf({ id, subject = "" }: Credential, forwarded: string | null, secret: string): string {
  const part = forwarded === null ? null : clientPart(forwarded);
  return part === null ? `${id} ${subject}` : `${id} ${subject} ${hidden(part, secret)}`;
}

function connectingAddress(headers: Headers): string | null {
  return headers.get("cf-connecting-ip");
}

/** Counters may keep their names on a disk, where no address may be. */
function hidden(part: string, secret: string): string {
  return sha256(`rate-limit ${secret} ${part}`).slice(0, 32);
}

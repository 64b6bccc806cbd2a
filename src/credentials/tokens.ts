import {
  createRemoteJWKSet,
  customFetch,
  errors,
  type FetchImplementation,
  type JWTPayload,
  jwtVerify,
  type JWTVerifyGetKey,
} from "jose";
import { idPattern } from "../auction/events.ts";
import type { Clock } from "../lib/clock.ts";
import { GenerationalCache } from "../lib/generational-cache.ts";
import { Problem } from "../lib/problem.ts";
import { failure, ok, type Result } from "../lib/result.ts";
import { sha256 } from "../lib/sha256.ts";
import { isScope, type Scope } from "./scopes.ts";

/** Whose tokens are taken, and what they may allow. */
export interface TokenSettings {
  readonly issuer: string;
  readonly audience: string;
  /** Where the issuer's public keys are: a JSON Web Key Set. */
  readonly keysUrl: string;
  /** The only ones that a token may be signed with. */
  readonly algorithms: readonly string[];
  readonly clockSkewS: number;
  /** The claim that holds scopes: a text with spaces between them, or an array. */
  readonly scopeClaim: string;
  /** What a token may give at all, whatever its claim says. */
  readonly scopes: ReadonlySet<Scope>;
}

/** Who a token speaks for. */
export interface Bearer {
  readonly subject: string;
  readonly scopes: ReadonlySet<Scope>;
}

export interface TokenVerifier {
  /** Who bears the token, or in words for the log why it is refused. @throws {Problem} */
  verify(token: string): Promise<Result<Bearer, string>>;
}

/** The issuer's keys are asked for again after this, and at once for a key that is not among them... */
const keysMs = 600_000;
/** ...but not again within this, so that made-up key ids do not reach the issuer. */
const coolDownMs = 30_000;
const keysTimeoutMs = 3_000;
/** Nothing is asked of an issuer that has just failed. */
const pauseMs = 2_000;
/** A token that was verified is not verified again for as long, but where it ends before. */
const verifiedMs = 60_000;
/** Verified tokens of one generation; two are kept. */
const capacity = 1_000;
/** No token is longer: it is a signed one with a few claims. */
const longestToken = 8_192;

interface Verified {
  readonly bearer: Bearer;
  /** Milliseconds since the epoch. */
  readonly until: number;
}

/**
 * Tokens of one issuer, checked against its keys. A signature costs several times what the rest of a
 * request does, so that a token is known by its hash for a moment.
 */
export function createTokenVerifier(
  settings: TokenSettings,
  fetchKeys: FetchImplementation,
  clock: Clock,
): TokenVerifier {
  const verify = signatureVerifier(settings, fetchKeys, clock);
  const known = new GenerationalCache<string, Verified>(capacity);
  return {
    async verify(token) {
      if (token.length > longestToken) return failure("the token is too long");
      const hash = sha256(token);
      const kept = known.get(hash);
      if (kept !== undefined && clock.now() < kept.until) return ok(kept.bearer);
      const verified = await verify(token);
      if (!verified.ok) return verified;
      known.set(hash, verified.value);
      known.trim();
      return ok(verified.value.bearer);
    },
  };
}

function signatureVerifier(
  settings: TokenSettings,
  fetchKeys: FetchImplementation,
  clock: Clock,
): (token: string) => Promise<Result<Verified, string>> {
  const keys = createRemoteJWKSet(new URL(settings.keysUrl), {
    cacheMaxAge: keysMs,
    cooldownDuration: coolDownMs,
    timeoutDuration: keysTimeoutMs,
    [customFetch]: pausing(fetchKeys, clock),
  });
  /** What is not the token's fault must not be told as if it were. */
  const keyOf: JWTVerifyGetKey = async (header, token) => {
    try {
      return await keys(header, token);
    } catch (cause) {
      if (isTokensFault(cause)) throw cause;
      throw new Problem("token-keys-unavailable", "The issuer's keys cannot be read", { cause });
    }
  };
  return async (token) => {
    const now = clock.now();
    try {
      const { payload } = await jwtVerify(token, keyOf, {
        issuer: settings.issuer,
        audience: settings.audience,
        algorithms: [...settings.algorithms],
        clockTolerance: settings.clockSkewS,
        requiredClaims: ["exp", "sub"],
        currentDate: new Date(now),
      });
      const endsAt = 1000 * ((payload.exp ?? 0) + settings.clockSkewS);
      return ok({ bearer: bearerOf(payload, settings), until: Math.min(endsAt, now + verifiedMs) });
    } catch (error) {
      if (error instanceof Problem) throw error;
      return failure(reasonOf(error));
    }
  };
}

/** Refuses to ask while the last failure is a moment old; a failure is whatever is no answer with keys. */
function pausing(fetchKeys: FetchImplementation, clock: Clock): FetchImplementation {
  let failedAt = Number.NEGATIVE_INFINITY;
  return async (...request) => {
    if (clock.now() - failedAt < pauseMs) throw new Error("The issuer failed a moment ago");
    let isAnswered = false;
    try {
      const response = await fetchKeys(...request);
      isAnswered = response.status === 200;
      return response;
    } finally {
      if (!isAnswered) failedAt = clock.now();
    }
  };
}

/** @throws {Problem} `forbidden-subject` for a token that is good and names nobody who can bid or sell. */
function bearerOf(payload: JWTPayload, { scopeClaim, scopes }: TokenSettings): Bearer {
  const subject: unknown = payload.sub;
  if (typeof subject !== "string" || !idPattern.test(subject)) {
    throw new Problem("forbidden-subject", "The token's sub cannot be the id of a bidder or seller");
  }
  const claimed = Object.hasOwn(payload, scopeClaim) ? payload[scopeClaim] : undefined;
  return {
    subject,
    scopes: new Set(
      textsOf(claimed)
        .filter(isScope)
        .filter((scope) => scopes.has(scope)),
    ),
  };
}

function textsOf(claim: unknown): string[] {
  if (typeof claim === "string") return claim.split(" ");
  return Array.isArray(claim) ? claim.filter((entry) => typeof entry === "string") : [];
}

function isTokensFault(error: unknown): boolean {
  return error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys;
}

/** Words of our own: whatever a token holds is its sender's. */
function reasonOf(error: unknown): string {
  if (error instanceof errors.JWTExpired) return "the token has expired";
  if (error instanceof errors.JWTClaimValidationFailed) return claimReason(error.claim);
  if (error instanceof errors.JWKSNoMatchingKey) return "the token's key is not one of the issuer's";
  if (error instanceof errors.JWKSMultipleMatchingKeys)
    return "the token does not say which key it is signed with";
  if (error instanceof errors.JOSEAlgNotAllowed) return "the token's algorithm is not allowed";
  if (error instanceof errors.JWSSignatureVerificationFailed) return "the token's signature is wrong";
  return "the token is malformed";
}

function claimReason(claim: string): string {
  switch (claim) {
    case "nbf":
      return "the token is not valid yet";
    case "iss":
    case "aud":
    case "exp":
    case "sub":
    case "iat":
      return `the token's ${claim} is missing or wrong`;
    default:
      return "a claim of the token is wrong";
  }
}

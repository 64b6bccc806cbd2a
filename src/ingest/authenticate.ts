import { type ApiKey, idOfKey, isKey } from "../credentials/api-key.ts";
import type { KeyCache, LookUpRequest } from "../credentials/key-cache.ts";
import type { Scope } from "../credentials/scopes.ts";
import type { TokenVerifier } from "../credentials/tokens.ts";
import { Problem } from "../lib/problem.ts";
import { failure, ok, type Result } from "../lib/result.ts";

/** Who sends a request, and what they may do. */
export interface Credential {
  readonly id: string;
  readonly scopes: ReadonlySet<Scope>;
  /** The only bidder or seller that may be written; absent for a back end that may write any. */
  readonly subject?: string;
}

/** Where credentials are known from. */
export interface CredentialSources {
  /** Of the secret, by id. They need nothing else to work. */
  readonly apiKeys: ReadonlyMap<string, ApiKey>;
  /** Of the database. */
  readonly storedKeys: Pick<KeyCache, "find">;
  /** Absent where no issuer's tokens are taken. */
  readonly tokens: TokenVerifier | undefined;
}

/** The request that is authenticated. */
export interface AuthenticationRequest extends Pick<LookUpRequest, "waitUntil"> {
  /** One more attempt with a credential that is not known. @throws {Problem} `rate-limited` */
  countUnknown(): Promise<void>;
}

const bearer = /^bearer +([^\s]+)$/i;

/**
 * The credential behind the `Authorization` header. Whatever is not known already, or is refused,
 * counts once as unknown, before anything is read for it.
 * @throws {Problem} `unauthenticated`, in the same words whatever is wrong with the credential, and
 *   with the reason for the log alone; `rate-limited`; 503 where what is known cannot be read.
 */
export async function authenticate(
  authorization: string | null,
  sources: CredentialSources,
  request: AuthenticationRequest,
): Promise<Credential> {
  let isCounted = false;
  const countOnce = async (): Promise<void> => {
    if (isCounted) return;
    isCounted = true;
    await request.countUnknown();
  };
  const beforeReading = countOnce;
  const token = bearer.exec(authorization ?? "")?.[1];
  const look = { beforeReading, waitUntil: (work: Promise<unknown>) => request.waitUntil(work) };
  const found = await find(token, sources, look).catch(async (error: unknown) => {
    // An outage is no refusal, and says nothing of who sent the request.
    if (error instanceof Problem && error.status < 500) await countOnce();
    throw error;
  });
  if (found.ok) return found.value;
  await countOnce();
  throw refusal(authorization === null ? "no credential" : found.error, authorization !== null);
}

type Found = Result<Credential, string>;

async function find(
  token: string | undefined,
  sources: CredentialSources,
  look: LookUpRequest,
): Promise<Found> {
  if (token === undefined) return failure("no bearer token");
  const id = idOfKey(token);
  if (id !== undefined) return findKey(token, id, sources, look);
  if (sources.tokens === undefined || token.startsWith("gvl_")) return failure("no API key");
  const verified = await sources.tokens.verify(token);
  if (!verified.ok) return verified;
  const { subject, scopes } = verified.value;
  return ok({ id: subject, scopes, subject });
}

/** A key of the secret is found there alone, so that it works whatever the database does. */
async function findKey(
  token: string,
  id: string,
  { apiKeys, storedKeys }: CredentialSources,
  look: LookUpRequest,
): Promise<Found> {
  const ofSecret = apiKeys.get(id);
  const stored = ofSecret === undefined ? await storedKeys.find(id, look) : null;
  const key = ofSecret ?? stored;
  const isRight = isKey(token, key?.sha256);
  // An id that is not known is a client's text, and may be a secret in the wrong place.
  if (key === null) return failure("the key is not known");
  if (!isRight) return failure(`not the secret of key ${id}`);
  return stored?.isRevoked === true ? failure(`key ${id} is revoked`) : ok(key);
}

/** @throws {Problem} `missing-scope` when the credential has none of the scopes. */
export function requireScope(credential: Credential, ...anyOf: readonly Scope[]): void {
  if (anyOf.some((scope) => credential.scopes.has(scope))) return;
  // Source: RFC 6750, section 3.1.
  const challenge = `Bearer realm="gavel", error="insufficient_scope", scope="${anyOf.join(" ")}"`;
  throw new Problem("missing-scope", `This needs the scope ${anyOf.join(" or ")}`, {
    headers: { "www-authenticate": challenge },
  });
}

function refusal(cause: string, isSent: boolean): Problem {
  const words = "Send a valid API key or token as Authorization: Bearer <credential>";
  if (!isSent) return new Problem("unauthenticated", words, { cause });
  const headers = { "www-authenticate": 'Bearer realm="gavel", error="invalid_token"' };
  return new Problem("unauthenticated", words, { cause, headers });
}

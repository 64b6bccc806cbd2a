import type { ApiKey, Scope } from "../config.ts";
import { Problem } from "../lib/problem.ts";

/** Who sends a request, and what they may do. */
export interface Credential {
  readonly id: string;
  readonly scopes: ReadonlySet<Scope>;
  /** The only bidder or seller that may be written; absent for a back end that may write any. */
  readonly subject?: string;
}

const bearer = /^bearer +([^\s]+)$/i;
const apiKeyForm = /^gvl_([A-Za-z0-9.-]{1,64})_[A-Za-z0-9_-]{1,256}$/;
const encoder = new TextEncoder();
// Compared with in place of an unknown key's hash: no preimage of it is known.
const noHash = new Uint8Array(32);

/**
 * The credential behind the `Authorization` header.
 * @throws {Problem} `unauthenticated`, in the same words whatever is wrong with the credential.
 */
export async function authenticate(
  authorization: string | null,
  apiKeys: ReadonlyMap<string, ApiKey>,
): Promise<Credential> {
  const token = bearer.exec(authorization ?? "")?.[1] ?? "";
  const id = apiKeyForm.exec(token)?.[1];
  if (id === undefined) throw refusal();
  const key = apiKeys.get(id);
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(token)));
  if (!equalInConstantTime(hash, key?.sha256 ?? noHash) || key === undefined) throw refusal();
  return key;
}

/** @throws {Problem} `missing-scope` when the credential has none of the scopes. */
export function requireScope(credential: Credential, ...anyOf: readonly Scope[]): void {
  if (anyOf.some((scope) => credential.scopes.has(scope))) return;
  throw new Problem("missing-scope", `This needs the scope ${anyOf.join(" or ")}`);
}

function refusal(): Problem {
  return new Problem("unauthenticated", "Send a valid API key as Authorization: Bearer gvl_<id>_<secret>");
}

/** Touches every byte wherever the first difference is. */
function equalInConstantTime(left: Uint8Array, right: Uint8Array): boolean {
  let difference = left.length ^ right.length;
  for (let index = 0; index < left.length; index += 1) difference |= (left[index] ?? 0) ^ (right[index] ?? 0);
  return difference === 0;
}

import { createHash, randomBytes } from "node:crypto";

/** The subject that the key `client` is bound to. */
export const clientSubject = "ada";

const scopesOf = {
  client: ["items:write", "bids:write", "read"],
  backend: ["items:write", "bids:write", "read"],
  trusted: ["items:write", "bids:write", "read", "trusted-time", "trusted-proxy"],
  operator: ["operate", "read"],
} as const;

export type KeyName = keyof typeof scopesOf;

export interface ApiKeys {
  /** What a client sends: `gvl_<id>_<secret>`. */
  readonly keys: Readonly<Record<KeyName, string>>;
  /** What the Worker holds: the secret `API_KEYS`, with hashes in place of keys. */
  readonly secret: string;
}

/** New keys with the scopes of the interface's four local credentials. */
export function makeApiKeys(): ApiKeys {
  const names = Object.keys(scopesOf) as KeyName[];
  const keys = Object.fromEntries(
    names.map((name) => [name, `gvl_${name}_${randomBytes(16).toString("hex")}`]),
  ) as Record<KeyName, string>;
  const entries = names.map((name) => ({
    id: name,
    sha256: createHash("sha256").update(keys[name]).digest("hex"),
    scopes: scopesOf[name],
    ...(name === "client" ? { subject: clientSubject } : {}),
  }));
  return { keys, secret: JSON.stringify(entries) };
}

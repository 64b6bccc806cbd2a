import { createHash, timingSafeEqual } from "node:crypto";

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/**
 * A check of the Authorization header against one pair of credentials. Digests are compared, in
 * constant time, so that neither length nor content shows in how long a refusal takes.
 * @throws {Error} when the credentials cannot travel unchanged: the client encodes characters
 *   outside ASCII in a way of its own, and a colon ends the name in Basic authentication.
 */
export function authorizer({ username, password }: Credentials): (header?: string) => boolean {
  if (!/^[\x21-\x7e]+$/.test(username + password) || username === "" || password === "") {
    throw new Error("The user name and the password must be visible ASCII characters.");
  }
  if (username.includes(":")) throw new Error("The user name must not contain a colon.");
  const expected = digest(`${username}:${password}`);
  return (header) => {
    const encoded = /^basic +([A-Za-z0-9+/]+={0,2}) *$/i.exec(header ?? "")?.[1] ?? "";
    return timingSafeEqual(digest(Buffer.from(encoded, "base64")), expected);
  };
}

function digest(data: string | Buffer): Buffer {
  return createHash("sha256").update(data).digest();
}

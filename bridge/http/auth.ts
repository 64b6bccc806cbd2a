import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { Rights } from "./rights.ts";

/** Visible ASCII: the client encodes other characters in a way of its own. */
const VISIBLE = /^[\x21-\x7e]+$/;
const COLON = 0x3a;
const EMPTY_DIGEST = digest("");

/** Who may use the bridge. Only a digest of the password is kept, and nothing prints it. */
export class User {
  readonly username: string;
  readonly rights: Rights;
  readonly #password: Buffer;

  private constructor(username: string, password: Buffer, rights: Rights) {
    // A colon ends the name in Basic authentication.
    if (username.includes(":")) throw new Error("The user name must not contain a colon.");
    this.username = username;
    this.rights = rights;
    this.#password = password;
  }

  /** @throws {Error} with a plain sentence when name or password cannot travel unchanged. */
  static withPassword(username: string, password: string, rights: Rights): User {
    if (!VISIBLE.test(username) || !VISIBLE.test(password)) {
      throw new Error("The user name and the password must be visible ASCII characters.");
    }
    return new User(username, digest(password), rights);
  }

  /** `sha256`: of the password, 64 hexadecimal digits. @throws {Error} with a plain sentence. */
  static withDigest(username: string, sha256: string, rights: Rights): User {
    if (!VISIBLE.test(username)) throw new Error("The user name must be visible ASCII characters.");
    const password = Buffer.from(sha256, "hex");
    if (password.length !== EMPTY_DIGEST.length) {
      throw new Error("A SHA-256 digest is 64 hexadecimal digits.");
    }
    if (password.equals(EMPTY_DIGEST)) throw new Error("The digest is that of an empty password.");
    return new User(username, password, rights);
  }

  /** Compares digests, in constant time. */
  hasPassword(sha256: Buffer): boolean {
    return timingSafeEqual(this.#password, sha256);
  }
}

/**
 * A check of the Authorization header: the rights of whose credentials it holds, or null.
 *
 * Names are looked up by their digest, and a name that nobody bears is compared with a password
 * that nobody has: neither content, length nor existence shows in how long a refusal takes.
 */
export function authenticator(users: readonly User[]): (header?: string) => Rights | null {
  const known = new Map(users.map((user) => [digest(user.username).toString("latin1"), user]));
  const nobody = User.withDigest("nobody", randomBytes(32).toString("hex"), { allows: () => false });
  return (header) => {
    const encoded = /^basic +([A-Za-z0-9+/]+={0,2}) *$/i.exec(header ?? "")?.[1] ?? "";
    const decoded = Buffer.from(encoded, "base64");
    const colon = decoded.indexOf(COLON);
    // Without a colon all of it is the name, and the password is empty, which nobody's is.
    const nameEnd = colon === -1 ? decoded.length : colon;
    const named = known.get(digest(decoded.subarray(0, nameEnd)).toString("latin1"));
    const matches = (named ?? nobody).hasPassword(digest(decoded.subarray(nameEnd + 1)));
    return matches && named !== undefined ? named.rights : null;
  };
}

function digest(data: string | Buffer): Buffer {
  return createHash("sha256").update(data).digest();
}

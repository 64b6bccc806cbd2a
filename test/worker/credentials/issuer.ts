import { env } from "cloudflare:workers";
import { exportJWK, generateKeyPair, type JWTHeaderParameters, type JWTPayload, SignJWT } from "jose";

const { ISSUER_URL } = env as unknown as { readonly ISSUER_URL: string };

export interface SigningKey {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly jwk: object;
}

let made = 0;

export async function newSigningKey(alg = "ES256"): Promise<SigningKey> {
  made += 1;
  const kid = `key-${made}`;
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: "sig" } };
}

/** An issuer with its keys on a real server, which answers as it is told. */
export class Issuer {
  readonly name = `issuer-${(made += 1)}`;

  /** The settings of a gateway that takes its tokens. */
  get settings() {
    return {
      JWT_ISSUER: "https://login.example.com/",
      JWT_AUDIENCE: "gavel",
      JWT_JWKS_URL: `${ISSUER_URL}/${this.name}`,
    };
  }

  async serve(
    keys: readonly SigningKey[],
    { status = 200, delay = 0, body = JSON.stringify({ keys: keys.map(({ jwk }) => jwk) }) } = {},
  ): Promise<void> {
    await fetch(`${ISSUER_URL}/${this.name}?status=${status}&delay=${delay}`, { method: "PUT", body });
  }

  /** How often its keys were read. */
  async reads(): Promise<number> {
    return Number(await (await fetch(`${ISSUER_URL}/count/${this.name}`)).text());
  }
}

/** Claims of a token that is good for a minute. */
export function claims(more: JWTPayload = {}): JWTPayload {
  const now = Math.floor(Date.now() / 1000);
  return {
    ...{ iss: "https://login.example.com/", aud: "gavel", sub: "ada", scope: "read bids:write" },
    ...{ iat: now, exp: now + 60, ...more },
  };
}

export function sign(
  { alg, kid, privateKey }: SigningKey,
  payload: JWTPayload = claims(),
  header: Partial<JWTHeaderParameters> = {},
): Promise<string> {
  return new SignJWT(payload).setProtectedHeader({ alg, kid, ...header }).sign(privateKey);
}

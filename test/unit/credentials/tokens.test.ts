import fc from "fast-check";
import { base64url, exportJWK, generateKeyPair, SignJWT } from "jose";
import { beforeAll, expect, test } from "vitest";
import { createTokenVerifier, type TokenVerifier } from "../../../src/credentials/tokens.ts";
import { Problem } from "../../../src/lib/problem.ts";

const now = 1_700_000_000_000;
const good = {
  iss: "https://login.example.com/",
  aud: "gavel",
  sub: "ada",
  scope: "read",
  exp: now / 1000 + 60,
};

let verifier: TokenVerifier;
let sign: (header: object, payload: unknown) => Promise<string>;

beforeAll(async () => {
  const { privateKey, publicKey } = await generateKeyPair("ES256");
  const jwk = { ...(await exportJWK(publicKey)), kid: "one", alg: "ES256" };
  verifier = createTokenVerifier(
    {
      ...{ issuer: good.iss, audience: good.aud, keysUrl: "https://login.example.com/keys" },
      ...{ algorithms: ["ES256"], clockSkewS: 0, scopeClaim: "scope", scopes: new Set(["read"]) },
    },
    () => Promise.resolve(Response.json({ keys: [jwk] })),
    { now: () => now, sleep: () => Promise.resolve() },
  );
  // Whatever the payload is, its signature is good.
  sign = async (header, payload) => {
    const parts = `${base64url.encode(JSON.stringify(header))}.${base64url.encode(JSON.stringify(payload) ?? "")}`;
    const algorithm = { name: "ECDSA", hash: "SHA-256" };
    const signature = await crypto.subtle.sign(algorithm, privateKey, new TextEncoder().encode(parts));
    return `${parts}.${base64url.encode(new Uint8Array(signature))}`;
  };
});

/** What becomes of a token: `ok`, `refused`, or the code of a problem. Anything else is thrown. */
async function fateOf(token: string): Promise<string> {
  try {
    return (await verifier.verify(token)).ok ? "ok" : "refused";
  } catch (error) {
    if (error instanceof Problem) return error.code;
    throw error;
  }
}

test("the tokens of these tests are taken as long as nothing is wrong with them", async () => {
  expect(await fateOf(await sign({ alg: "ES256", kid: "one" }, good))).toBe("ok");
});

test("no text passes for a token, and none is an error of Gavel's", async () => {
  const segment = fc.oneof(
    fc.base64String(),
    fc.string(),
    fc.json().map((text) => base64url.encode(text)),
  );
  const token = fc.oneof(
    fc.string(),
    fc.tuple(segment, segment, segment).map((parts) => parts.join(".")),
    fc.array(segment, { maxLength: 6 }).map((parts) => parts.join(".")),
  );
  await fc.assert(
    fc.asyncProperty(token, async (text) => {
      expect(await fateOf(text)).toBe("refused");
    }),
    { numRuns: 300 },
  );
});

test("whatever a header says, it opens nothing but by the issuer's key", async () => {
  const header = fc.record(
    {
      alg: fc.oneof(fc.constantFrom("none", "HS256", "RS256", "ES256"), fc.jsonValue()),
      kid: fc.oneof(fc.constantFrom("one", "two"), fc.jsonValue()),
      crit: fc.jsonValue(),
      b64: fc.boolean(),
      typ: fc.jsonValue(),
      jwk: fc.jsonValue(),
      jku: fc.webUrl(),
    },
    { requiredKeys: [] },
  );
  const shared = new TextEncoder().encode("a secret of thirty-two characters");
  await fc.assert(
    fc.asyncProperty(header, async (more) => {
      const [, payload = "", signature = ""] = (
        await new SignJWT(good).setProtectedHeader({ alg: "HS256" }).sign(shared)
      ).split(".");
      const token = `${base64url.encode(JSON.stringify(more))}.${payload}.${signature}`;
      expect(await fateOf(token)).toBe("refused");
    }),
    { numRuns: 300 },
  );
});

test("whatever the issuer signs, a token is taken, refused, or for a subject that cannot be", async () => {
  const claim = fc.oneof(fc.jsonValue(), fc.constantFrom(...Object.values(good)));
  const payload = fc.oneof(
    fc.jsonValue(),
    fc.record(
      { iss: claim, aud: claim, sub: claim, scope: claim, exp: claim, nbf: claim, iat: claim },
      { requiredKeys: [] },
    ),
    fc.record({ sub: claim, scope: claim }, { requiredKeys: [] }).map((more) => ({ ...good, ...more })),
  );
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(payload, async (claims) => {
      const fate = await fateOf(await sign({ alg: "ES256", kid: "one" }, claims));
      seen.add(fate);
      expect(["ok", "refused", "forbidden-subject"]).toContain(fate);
    }),
    { numRuns: 300 },
  );
  expect(seen).toEqual(new Set(["ok", "refused", "forbidden-subject"]));
});

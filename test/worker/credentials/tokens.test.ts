import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { base64url, SignJWT } from "jose";
import { answered, newBid, newItem } from "../edge/client.ts";
import { claims, Issuer, newSigningKey, sign, type SigningKey } from "./issuer.ts";
import { Isolate } from "./world.ts";

let issuer: Issuer;
let key: SigningKey;
let gateway: Isolate;

beforeEach(async () => {
  issuer = new Issuer();
  key = await newSigningKey();
  await issuer.serve([key]);
  gateway = new Isolate(issuer.settings);
});

afterEach(() => {
  vi.useRealTimers();
});

/** A token without a claim that every token has. */
const without = (claim: string) =>
  Object.fromEntries(Object.entries(claims()).filter(([name]) => name !== claim));
const seconds = (from: number) => Math.floor(Date.now() / 1000) + from;
const part = (value: unknown) => base64url.encode(JSON.stringify(value));

describe("a token", () => {
  test("of the issuer is taken, and speaks for its subject alone", async () => {
    const token = await sign(key);
    expect(await gateway.statusOf(token)).toBe(200);
    const bid = (bidderId: string) =>
      gateway.call("/v1/bids", { as: token, body: newBid("lamp-of-nobody", { bidderId }) });
    expect(await answered(bid("ada"), 202)).toMatchObject({ source: "/credentials/ada" });
    expect(await answered(bid("ben"), 403)).toMatchObject({ code: "forbidden-subject" });
    const items = await gateway.call("/v1/items", { as: token, body: newItem({ sellerId: "ada" }) });
    expect(await answered(items, 403)).toMatchObject({ code: "missing-scope" });
  });

  test("is verified by keys that are read once", async () => {
    const token = await sign(key);
    for (let used = 0; used < 20; used += 1) expect(await gateway.statusOf(token)).toBe(200);
    expect(await issuer.reads()).toBe(1);
  });

  test("for one audience of several is taken", async () => {
    expect(await gateway.statusOf(await sign(key, claims({ aud: ["other", "gavel"] })))).toBe(200);
  });

  test.each(["RS256", "PS256", "ES384", "EdDSA"])(
    "signed with %s is taken where that is pinned",
    async (alg) => {
      const other = await newSigningKey(alg);
      await issuer.serve([other]);
      const pinned = new Isolate({ ...issuer.settings, JWT_ALGORITHMS: alg });
      expect(await pinned.statusOf(await sign(other))).toBe(200);
    },
  );
});

describe("scopes", () => {
  test.each([
    ["a text", { scope: "read items:write" }, {}],
    ["an array", { scope: ["items:write", "read"] }, {}],
    ["another claim", { permissions: ["read"], scope: "none" }, { JWT_SCOPE_CLAIM: "permissions" }],
    ["a claim named by a URL", { "https://x/s": "read" }, { JWT_SCOPE_CLAIM: "https://x/s" }],
  ])("are read from %s", async (_, more, settings: Record<string, string>) => {
    const other = new Isolate({ ...issuer.settings, ...settings });
    expect(await other.statusOf(await sign(key, claims(more)))).toBe(200);
  });

  test.each([
    ["none", {}],
    ["of another form", { scope: { read: true } }],
    ["that are no texts", { scope: [1, null, ["read"]] }],
    ["that there are not", { scope: "READ readonly read,bids:write" }],
    ["inherited from an object", { scope: "" }, { JWT_SCOPE_CLAIM: "toString" }],
  ])("%s allow nothing", async (_, more, settings?: Record<string, string>) => {
    const other = new Isolate({ ...issuer.settings, ...settings });
    const token = await sign(key, { ...without("scope"), ...more });
    expect(await answered(other.call("/v1/stats/cells", { as: token }), 403)).toMatchObject({
      code: "missing-scope",
    });
  });

  test("are those that the configuration lets tokens have, whatever the claim says", async () => {
    const token = await sign(key, claims({ scope: "read operate trusted-time trusted-proxy" }));
    expect((await gateway.call("/v1/keys", { as: token })).status).toBe(403);
    const generous = new Isolate({ ...issuer.settings, JWT_SCOPES: "operate" });
    expect((await generous.call("/v1/keys", { as: token })).status).toBe(200);
    expect(await generous.statusOf(token)).toBe(403);
  });
});

describe("refused with 401", () => {
  async function refuse(token: string, of: Isolate = gateway): Promise<void> {
    const response = await of.call("/v1/stats/cells", { as: token });
    expect(response.headers.get("www-authenticate")).toContain('error="invalid_token"');
    expect(await answered(response, 401)).toMatchObject({ code: "unauthenticated", retryable: false });
  }

  test.each([
    ["that has expired", () => ({ exp: seconds(-31) })],
    ["that is not valid yet", () => ({ nbf: seconds(32) })],
    ["of another issuer", () => ({ iss: "https://login.example.com" })],
    ["for somebody else", () => ({ aud: "gavel-staging" })],
    ["for several others", () => ({ aud: ["a", "b"] })],
    ["whose expiry is no number", () => ({ exp: "tomorrow" as unknown as number })],
  ])("a token %s", async (_, more) => {
    await refuse(await sign(key, claims(more())));
  });

  test.each(["exp", "iss", "aud", "sub"])("a token without %s", async (claim) => {
    await refuse(await sign(key, without(claim)));
  });

  test("a token that ends, to the millisecond, also where it was verified just before", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.setSystemTime(1_000 * seconds(0));
    const token = await sign(key, claims({ exp: seconds(10) }));
    vi.advanceTimersByTime(39_999);
    expect(await gateway.statusOf(token)).toBe(200);
    vi.advanceTimersByTime(1);
    await refuse(token);
  });

  test("but for the skew of clocks, which is allowed both ways", async () => {
    expect(await gateway.statusOf(await sign(key, claims({ exp: seconds(-25) })))).toBe(200);
    expect(await gateway.statusOf(await sign(key, claims({ nbf: seconds(25) })))).toBe(200);
    const strict = new Isolate({ ...issuer.settings, JWT_CLOCK_SKEW_S: "0" });
    await refuse(await sign(key, claims({ exp: seconds(-1) })), strict);
  });

  test("a token without a signature", async () => {
    await refuse(`${part({ alg: "none" })}.${part(claims())}.`);
    await refuse(`${part({ alg: "none", kid: key.kid })}.${part(claims())}.AA`);
    const [header = "", payload = ""] = (await sign(key)).split(".");
    await refuse(`${header}.${payload}.`);
  });

  test("a token signed with the public key as if it were a shared secret", async () => {
    const secret = new TextEncoder().encode(JSON.stringify(key.jwk));
    for (const alg of ["HS256", "HS512"]) {
      await refuse(await new SignJWT(claims()).setProtectedHeader({ alg, kid: key.kid }).sign(secret));
    }
  });

  test("a token signed by another key under the same id, or changed on its way", async () => {
    const forged = { ...(await newSigningKey()), kid: key.kid };
    await refuse(await sign(forged));
    const [header = "", , signature = ""] = (await sign(key)).split(".");
    await refuse(`${header}.${part(claims({ sub: "ben" }))}.${signature}`);
  });

  test("a token signed with an algorithm that is not pinned, though the issuer has the key", async () => {
    const other = await newSigningKey("ES384");
    await issuer.serve([key, other]);
    await refuse(await sign(other));
  });

  test("a token that brings its own key", async () => {
    const own = await newSigningKey();
    await refuse(
      await sign(own, claims(), { jwk: own.jwk, jku: issuer.settings.JWT_JWKS_URL, kid: key.kid }),
    );
  });

  test("a token that does not say which of several keys it is signed with", async () => {
    await issuer.serve([key, await newSigningKey()]);
    await refuse(await new SignJWT(claims()).setProtectedHeader({ alg: "ES256" }).sign(key.privateKey));
  });

  test.each([
    ["x"],
    ["a.b.c"],
    ["eyJhbGciOiJFUzI1NiJ9.e30"],
    [`${part({ alg: "ES256", crit: ["x"], x: 1 })}.${part({})}.AA`],
    [`${part({ alg: "ES256", b64: false, crit: ["b64"] })}.${part({})}.AA`],
    [`${part({ alg: 7 })}.${part({})}.AA`],
    [`${part([])}.${part([])}.AA`],
    [`${part({ alg: "ES256", kid: {} })}.${part({})}.AA`],
    [`${base64url.encode("{")}.${base64url.encode("{")}.AA`],
    ["eyJ".repeat(4_000)],
  ])("what is no token at all: %.40s", async (token) => {
    await refuse(token);
  });

  test("every token, where no issuer is set", async () => {
    await refuse(await sign(key), new Isolate());
    expect(await issuer.reads()).toBe(0);
  });
});

test("a subject that can be no bidder or seller is 403, with the reason", async () => {
  for (const sub of ["auth0|123", "..", "x".repeat(65), ""]) {
    const answer = await answered(
      gateway.call("/v1/stats/cells", { as: await sign(key, claims({ sub })) }),
      403,
    );
    expect(answer, sub).toMatchObject({ code: "forbidden-subject" });
  }
});

describe("when the issuer changes its keys", () => {
  test("a token of a new key is taken, and one of a key that is gone is not", async () => {
    expect(await gateway.statusOf(await sign(key))).toBe(200);
    const next = await newSigningKey();
    await issuer.serve([next]);
    vi.useFakeTimers({ toFake: ["Date"] });
    // Within the cool-down nothing is asked again, and the old keys hold.
    expect(await gateway.statusOf(await sign(next))).toBe(401);
    vi.advanceTimersByTime(30_001);
    expect(await gateway.statusOf(await sign(next))).toBe(200);
    expect(await gateway.statusOf(await sign(key))).toBe(401);
  });

  test("a token that was verified a moment ago is taken for a minute at most", async () => {
    const token = await sign(key, claims({ exp: seconds(3_600) }));
    expect(await gateway.statusOf(token)).toBe(200);
    await issuer.serve([await newSigningKey()]);
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.advanceTimersByTime(599_000);
    expect(await gateway.statusOf(token)).toBe(200);
    vi.advanceTimersByTime(59_000);
    expect(await gateway.statusOf(token)).toBe(200);
    vi.advanceTimersByTime(1_001);
    expect(await gateway.statusOf(token)).toBe(401);
  });

  test("a key that is gone is known for ten minutes at most", async () => {
    expect(await gateway.statusOf(await sign(key))).toBe(200);
    await issuer.serve([await newSigningKey()]);
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.advanceTimersByTime(600_001);
    expect(await gateway.statusOf(await sign(key))).toBe(401);
  });

  test("ids that somebody makes up do not reach it", async () => {
    expect(await gateway.statusOf(await sign(key))).toBe(200);
    for (let tries = 0; tries < 20; tries += 1) {
      expect(await gateway.statusOf(await sign(key, claims(), { kid: `made-up-${tries}` }))).toBe(401);
    }
    expect(await issuer.reads()).toBe(1);
  });
});

describe("while the issuer's keys cannot be read, a token is 503 and may be sent again:", () => {
  async function unavailable(of: Isolate = gateway): Promise<void> {
    const response = await of.call("/v1/stats/cells", { as: await sign(key) });
    expect(response.headers.get("retry-after")).toBe("1");
    const body = await answered<{ code: string; retryable: boolean }>(response, 503);
    expect(body).toMatchObject({ code: "token-keys-unavailable", retryable: true });
  }

  test.each([
    ["an error", { status: 500 }],
    ["a redirect", { status: 302 }],
    ["no JSON", { body: "<html>" }],
    ["no key set", { body: "{}" }],
    ["no answer in time", { delay: 10_000 }],
  ])("%s", async (_, answer) => {
    await issuer.serve([key], answer);
    await unavailable();
  });

  test("nobody listens", async () => {
    await unavailable(new Isolate({ ...issuer.settings, JWT_JWKS_URL: "http://127.0.0.1:9/keys" }));
  });

  test("it is asked again a moment later, and not by every request", async () => {
    await issuer.serve([key], { status: 500 });
    for (let tries = 0; tries < 10; tries += 1) await unavailable();
    expect(await issuer.reads()).toBe(1);
    await issuer.serve([key]);
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.advanceTimersByTime(2_001);
    expect(await gateway.statusOf(await sign(key))).toBe(200);
  });

  test("keys that are known already go on, and so do API keys", async () => {
    expect(await gateway.statusOf(await sign(key))).toBe(200);
    await issuer.serve([key], { status: 500 });
    expect(await gateway.statusOf(await sign(key))).toBe(200);
    expect(await gateway.statusOf("backend")).toBe(200);
  });
});

import { beforeEach, describe, expect, test } from "vitest";
import { type ApiKey, makeKey } from "../../../src/credentials/api-key.ts";
import { sha256 } from "../../../src/lib/sha256.ts";
import type { TokenVerifier } from "../../../src/credentials/tokens.ts";
import { authenticate, type CredentialSources, requireScope } from "../../../src/ingest/authenticate.ts";
import { Problem } from "../../../src/lib/problem.ts";
import { failure, ok } from "../../../src/lib/result.ts";

const ofSecret = makeKey("root");
const stored = makeKey("app");
const revoked = makeKey("old");

const apiKey = (id: string, key: string): ApiKey => ({
  id,
  sha256: sha256(key),
  scopes: new Set(["read"]),
});

let sources: CredentialSources;
/** What happened, in order: counted as unknown, or read from the database. */
let steps: string[];

const tokens: TokenVerifier = {
  verify: (token) =>
    Promise.resolve(
      token === "good.token.x"
        ? ok({ subject: "ada", scopes: new Set(["read"]) })
        : failure("the token is bad"),
    ),
};

beforeEach(() => {
  steps = [];
  const kept = new Map([
    ["app", { ...apiKey("app", stored), isRevoked: false }],
    ["old", { ...apiKey("old", revoked), isRevoked: true }],
  ]);
  sources = {
    apiKeys: new Map([["root", apiKey("root", ofSecret)]]),
    storedKeys: {
      find: async (id, look) => {
        await look.beforeReading();
        steps.push("read");
        return kept.get(id) ?? null;
      },
    },
    tokens,
  };
});

const request = {
  countUnknown: async (): Promise<void> => {
    steps.push("counted");
    await Promise.resolve();
  },
  waitUntil: () => undefined,
};

const send = (credential: string | null) =>
  authenticate(credential === null ? null : `Bearer ${credential}`, sources, request);

async function refusalOf(credential: string | null): Promise<Problem> {
  const problem = await send(credential).catch((error: unknown) => error);
  if (problem instanceof Problem) return problem;
  throw new Error("It is not refused");
}

describe("a credential", () => {
  test("of the secret is known without a count and without the database", async () => {
    expect(await send(ofSecret)).toMatchObject({ id: "root" });
    expect(steps).toEqual([]);
  });

  test("of the database counts once as unknown, before it is read", async () => {
    expect(await send(stored)).toMatchObject({ id: "app" });
    expect(steps).toEqual(["counted", "read"]);
  });

  test("that is a token speaks for its subject, which is the only one that it may write for", async () => {
    expect(await send("good.token.x")).toEqual({ id: "ada", subject: "ada", scopes: new Set(["read"]) });
    expect(steps).toEqual([]);
  });
});

describe("a refusal", () => {
  test.each([
    ["without a credential", null, "no credential"],
    ["of a text that is neither key nor token", "gvl_x", "no API key"],
    ["of a key that is not known", "gvl_nobody_secret", "the key is not known"],
    ["of another secret of a key of the secret", "gvl_root_secret", "not the secret of key root"],
    ["of another secret of a key of the database", "gvl_app_secret", "not the secret of key app"],
    ["of another secret of a key that is revoked", "gvl_old_secret", "not the secret of key old"],
    ["of a key that is revoked", revoked, "key old is revoked"],
    ["of a token", "bad.token.x", "the token is bad"],
  ])("%s counts once, says the same to everybody, and why to the log", async (_, credential, reason) => {
    const problem = await refusalOf(credential);
    expect(problem).toMatchObject({ code: "unauthenticated", cause: reason });
    expect(problem.detail).toBe((await refusalOf(null)).detail);
    expect(steps.filter((step) => step === "counted")).toHaveLength(2);
  });

  test("says in WWW-Authenticate whether a credential was sent at all", async () => {
    expect((await refusalOf(null)).headers).toEqual({});
    expect((await refusalOf("gvl_x_y")).headers["www-authenticate"]).toContain('error="invalid_token"');
  });

  test("for want of a scope names it", () => {
    const refuse = () => requireScope({ id: "app", scopes: new Set(["read"]) }, "items:write", "operate");
    expect(refuse).toThrow(expect.objectContaining({ code: "missing-scope" }) as Error);
  });

  test("is 429 in its place beyond the limit, and nothing is read", async () => {
    request.countUnknown = () => Promise.reject(new Problem("rate-limited", "too many"));
    for (const credential of ["gvl_nobody_secret", "gvl_root_secret", "bad.token.x", null]) {
      expect(await refusalOf(credential), String(credential)).toMatchObject({ code: "rate-limited" });
    }
    expect(await send(ofSecret)).toMatchObject({ id: "root" });
    expect(steps).toEqual([]);
  });

  test("of a token that is good and names nobody who can bid or sell counts once, too", async () => {
    const problem = new Problem("forbidden-subject", "The token's sub cannot be an id");
    sources = { ...sources, tokens: { verify: () => Promise.reject(problem) } };
    request.countUnknown = async () => {
      steps.push("counted");
      await Promise.resolve();
    };
    expect(await refusalOf("good.token.x")).toBe(problem);
    expect(steps).toEqual(["counted"]);
  });

  test("for want of the issuer's keys does not count: it says nothing of the token", async () => {
    const problem = new Problem("token-keys-unavailable", "The issuer's keys cannot be read");
    sources = { ...sources, tokens: { verify: () => Promise.reject(problem) } };
    expect(await refusalOf("good.token.x")).toBe(problem);
    expect(steps).toEqual([]);
  });

  test("of tokens holds for all where no issuer is set", async () => {
    request.countUnknown = () => Promise.resolve();
    sources = { ...sources, tokens: undefined };
    expect(await refusalOf("good.token.x")).toMatchObject({ code: "unauthenticated" });
  });
});

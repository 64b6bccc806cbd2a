import { describe, expect, it } from "vitest";
import { runAgainst } from "./gateway-world.ts";

const key = {
  ...{ id: "app", scopes: ["bids:write", "read"], subject: "ada" },
  ...{ createdAt: new Date(Date.now() - 120_000).toISOString(), createdBy: "root" },
};
const revoked = {
  ...{ ...key, id: "old", subject: undefined },
  ...{ revokedAt: new Date(Date.now() - 3_000).toISOString(), revokedBy: "root" },
};
const secret = "gvl_app_0123456789abcdef";

describe("keys create", () => {
  it("prints the key, alone on its line, so that it can be piped", async () => {
    const answers = { "POST /v1/keys": [{ ...key, key: secret }] };
    const args = ["keys", "create", "app", "--scopes", "bids:write,read", "--subject", "ada"];
    const { code, out, err } = await runAgainst(answers, ...args);
    expect([code, out, err]).toEqual([0, `${secret}\n`, ""]);
    const json = await runAgainst(answers, ...args, "--json");
    expect(JSON.parse(json.out)).toEqual({ ...key, key: secret });
  });

  it("needs scopes", async () => {
    const { code, err, asked } = await runAgainst({}, "keys", "create", "app");
    expect(code).toBe(2);
    expect(err).toContain("--scopes bids:write,read");
    expect(asked).toEqual([]);
  });

  it("is told in one sentence why it is refused", async () => {
    const { code, out, err } = await runAgainst(
      { "POST /v1/keys": [409] },
      "keys",
      "create",
      "--scopes",
      "read",
    );
    expect([code, out]).toEqual([1, ""]);
    expect(err).toMatch(/^gavel: .+ \(409 .+\)\n$/);
  });
});

describe("keys list", () => {
  it("shows all pages, and the secret's keys before them, none with a hash or a key", async () => {
    const pages = [
      {
        keys: [{ ...key, sha256: "abab", key: secret }],
        next: "app",
        keysOfSecret: [{ id: "root", scopes: ["operate"] }],
      },
      { keys: [revoked] },
    ];
    const { code, out, asked } = await runAgainst({ "GET /v1/keys": pages }, "keys");
    expect(code).toBe(0);
    expect(asked).toHaveLength(2);
    expect(out).toMatch(/^root +operate +API_KEYS\n/m);
    expect(out).toMatch(/^app +bids:write,read +ada +2 min ago +root\n/m);
    expect(out).toMatch(/^old .* root +3 s ago\n/m);
    const json = await runAgainst({ "GET /v1/keys": pages }, "keys", "list", "--json");
    expect(JSON.parse(json.out)).toMatchObject({ keys: [{ id: "app" }, { id: "old" }] });
    for (const text of [out, json.out]) expect(text).not.toMatch(/abab|0123456789abcdef/);
  });

  it("says so where there are none", async () => {
    const { out } = await runAgainst({ "GET /v1/keys": [{ keys: [], keysOfSecret: [] }] }, "keys", "list");
    expect(out).toBe("There are no keys.\n");
  });
});

describe("keys revoke", () => {
  it("revokes the key that it names", async () => {
    const { code, out, asked } = await runAgainst({ "DELETE /v1/keys/app": [null] }, "keys", "revoke", "app");
    expect([code, asked]).toEqual([0, ["DELETE /v1/keys/app"]]);
    expect(out).toBe("app is revoked: it opens nothing anywhere within a minute.\n");
  });

  it("asks for nothing where none is named, or an option is another action's", async () => {
    for (const args of [
      ["revoke"],
      ["revoke", ""],
      ["forget", "app"],
      ["list", "app"],
      ["list", "--scopes", "read"],
    ]) {
      const { code, asked } = await runAgainst({}, "keys", ...args);
      expect([code, asked], args.join(" ")).toEqual([2, []]);
    }
  });
});

import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, test } from "vitest";
import type { Env } from "../../../src/env.ts";
import { Isolate } from "../credentials/world.ts";
import { answered, newBid } from "./client.ts";

// Counters of the real binding, 5 and 20 in a minute, under names that the Worker does not use itself.
const { DATABASE, TEST_LIMIT_5, TEST_LIMIT_20 } = env as unknown as Env & Record<string, RateLimit>;

let run = 0;

/** An address that no other test counts under. */
let address: string;
let other: string;

beforeEach(async () => {
  run += 1;
  address = `203.0.113.${run}`;
  other = `198.51.100.${run}`;
  // The binding's minutes are the clock's: a test that crosses one counts twice.
  const left = 60_000 - (Date.now() % 60_000);
  if (left < 10_000) await new Promise((resolve) => void setTimeout(resolve, left + 50));
});

const from = (connecting: string, forwarded?: string) => ({
  "cf-connecting-ip": connecting,
  ...(forwarded === undefined ? {} : { "x-forwarded-for": forwarded }),
});

/** A new key, with an account of its own at the counters. */
async function newKey(scopes: readonly string[] = ["read", "bids:write"]): Promise<string> {
  const body = { scopes };
  const { key } = await answered<{ key: string }>(new Isolate().call("/v1/keys", { body }), 201);
  return key;
}

const byCredential = () =>
  new Isolate({ RATE_LIMIT_CREDENTIAL: TEST_LIMIT_5, RATE_LIMIT_CREDENTIAL_QUOTA: "5/60" });
const byAddress = () => new Isolate({ RATE_LIMIT_ADDRESS: TEST_LIMIT_20, RATE_LIMIT_ADDRESS_QUOTA: "20/60" });
const byUnknown = (more: Partial<Record<keyof Env, unknown>> = {}) =>
  new Isolate({ RATE_LIMIT_UNKNOWN: TEST_LIMIT_5, RATE_LIMIT_UNKNOWN_QUOTA: "5/60", ...more });

describe("a credential beyond its quota", () => {
  test("gets 429 with Retry-After and the policy, and nothing of its request is done", async () => {
    const gateway = byCredential();
    const key = await newKey();
    const bid = () => gateway.call("/v1/bids", { as: key, body: newBid("lamp-of-nobody") });
    for (let sent = 0; sent < 5; sent += 1) {
      const taken = await bid();
      expect(taken.headers.get("ratelimit-policy")).toBe('"credential";q=5;w=60');
      expect(taken.status).toBe(202);
    }
    const refused = await bid();
    expect(refused.headers.get("retry-after")).toBe("60");
    expect(refused.headers.get("ratelimit-policy")).toBe('"credential";q=5;w=60');
    expect(refused.headers.get("content-type")).toBe("application/problem+json");
    const body = await answered(refused, 429);
    expect(body).toMatchObject({ code: "rate-limited", retryable: true });
    expect(body).not.toHaveProperty("offset");
  });

  test("is refused in every isolate, since all count together", async () => {
    const key = await newKey();
    const statuses = [];
    for (let sent = 0; sent < 7; sent += 1) statuses.push(await byCredential().statusOf(key));
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429, 429]);
  });

  test("that is noisy is refused while a quiet one behind the same address is served all the time", async () => {
    const gateway = new Isolate({
      ...{ RATE_LIMIT_CREDENTIAL: TEST_LIMIT_5, RATE_LIMIT_CREDENTIAL_QUOTA: "5/60" },
      ...{ RATE_LIMIT_ADDRESS: TEST_LIMIT_20, RATE_LIMIT_ADDRESS_QUOTA: "20/60" },
    });
    const [noisy, quiet] = [await newKey(), await newKey()];
    const statuses: Record<string, number[]> = { noisy: [], quiet: [] };
    for (let round = 0; round < 4; round += 1) {
      const burst = await Promise.all(
        Array.from({ length: 25 }, () => gateway.statusOf(noisy, from(address))),
      );
      statuses["noisy"]?.push(...burst);
      statuses["quiet"]?.push(await gateway.statusOf(quiet, from(address)));
    }
    expect(statuses["noisy"]?.filter((status) => status === 200)).toHaveLength(5);
    expect(statuses["noisy"]?.filter((status) => status === 429)).toHaveLength(95);
    expect(statuses["quiet"]).toEqual([200, 200, 200, 200]);
  });
});

describe("an address beyond its quota", () => {
  test("is refused with whatever credential, and another address is not", async () => {
    const gateway = byAddress();
    const keys = await Promise.all(Array.from({ length: 4 }, () => newKey()));
    for (let sent = 0; sent < 20; sent += 1) {
      expect(await gateway.statusOf(keys[sent % 4] ?? "", from(address))).toBe(200);
    }
    for (const key of keys) expect(await gateway.statusOf(key, from(address))).toBe(429);
    for (const key of keys) expect(await gateway.statusOf(key, from(other))).toBe(200);
  });

  test("is one however its IPv6 address ends", async () => {
    const gateway = byAddress();
    const key = await newKey();
    const at = (host: number, network = run) => from(`2001:db8:${network}:1::${host.toString(16)}`);
    for (let sent = 0; sent < 20; sent += 1) expect(await gateway.statusOf(key, at(sent))).toBe(200);
    expect(await gateway.statusOf(key, at(99))).toBe(429);
    expect(await gateway.statusOf(key, at(1, run + 100))).toBe(200);
  });

  test("is that of a trusted proxy's client, each by itself, and of nobody else's say-so", async () => {
    const gateway = byAddress();
    const [proxy, plain] = [await newKey(["read", "trusted-proxy"]), await newKey()];
    for (let sent = 0; sent < 25; sent += 1) {
      expect(await gateway.statusOf(proxy, from(address, `9.9.${run}.${sent}`))).toBe(200);
    }
    const client = from(address, `8.8.${run}.1`);
    for (let sent = 0; sent < 20; sent += 1) expect(await gateway.statusOf(proxy, client)).toBe(200);
    expect(await gateway.statusOf(proxy, client)).toBe(429);
    for (let sent = 0; sent < 20; sent += 1) await gateway.statusOf(plain, from(other, `9.9.${run}.${sent}`));
    expect(await gateway.statusOf(plain, from(other, "9.9.9.9"))).toBe(429);
  });

  test("is refused where no credential is needed as well, but for the check that costs nothing", async () => {
    const gateway = byAddress();
    const ask = async (path: string) =>
      (await gateway.call(path, { as: null, headers: from(address) })).status;
    for (let sent = 0; sent < 20; sent += 1) expect(await ask("/readyz")).toBe(200);
    expect(await ask("/readyz")).toBe(429);
    expect(await ask("/healthz")).toBe(200);
  });
});

describe("an address with credentials that are not known, beyond its quota", () => {
  test("gets 429 in place of 401, and another address does not", async () => {
    const gateway = byUnknown();
    const wrong = ["gvl_backend_secret", "gvl_nobody_secret", null, "no-key", "gvl_backend_other"];
    for (const credential of wrong) expect(await gateway.statusOf(credential, from(address))).toBe(401);
    for (const credential of wrong) expect(await gateway.statusOf(credential, from(address))).toBe(429);
    expect(await gateway.statusOf("gvl_nobody_secret", from(other))).toBe(401);
  });

  test("costs no read of the database", async () => {
    let reads = 0;
    const counting = {
      prepare: (sql: string) => {
        reads += 1;
        return DATABASE.prepare(sql);
      },
    };
    const gateway = byUnknown({ DATABASE: counting });
    const attempts = Array.from({ length: 200 }, (_, index) =>
      gateway.statusOf(`gvl_made-up-${run}-${index}_secret`, from(address)),
    );
    const statuses = await Promise.all(attempts);
    expect(reads).toBe(5);
    expect(statuses.filter((status) => status === 401)).toHaveLength(5);
    expect(statuses.filter((status) => status === 429)).toHaveLength(195);
  });

  test("keeps no key from working that is known already, behind the same address", async () => {
    const gateway = byUnknown();
    const key = await newKey();
    expect(await gateway.statusOf(key, from(address))).toBe(200);
    for (let sent = 0; sent < 20; sent += 1) await gateway.statusOf("gvl_backend_secret", from(address));
    expect(await gateway.statusOf("gvl_backend_secret", from(address))).toBe(429);
    expect(await gateway.statusOf(key, from(address))).toBe(200);
    expect(await gateway.statusOf("backend", from(address))).toBe(200);
  });

  test("is not one whose many requests bring one good key at once to an isolate that is new", async () => {
    const gateway = byUnknown();
    const key = await newKey();
    const statuses = await Promise.all(
      Array.from({ length: 50 }, () => gateway.statusOf(key, from(address))),
    );
    expect(new Set(statuses)).toEqual(new Set([200]));
  });
});

test("without the binding, or without a quota, nothing is limited and no policy told", async () => {
  const key = await newKey();
  for (const variables of [
    { RATE_LIMIT_CREDENTIAL: undefined, RATE_LIMIT_CREDENTIAL_QUOTA: "5/60" },
    { RATE_LIMIT_CREDENTIAL: TEST_LIMIT_5, RATE_LIMIT_CREDENTIAL_QUOTA: "" },
  ]) {
    const gateway = new Isolate(variables);
    for (let sent = 0; sent < 10; sent += 1) expect(await gateway.statusOf(key)).toBe(200);
    expect((await gateway.call("/healthz")).headers.has("ratelimit-policy")).toBe(false);
  }
});

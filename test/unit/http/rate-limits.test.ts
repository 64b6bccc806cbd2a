import { beforeEach, describe, expect, test } from "vitest";
import { clientPart } from "../../../src/http/addresses.ts";
import { createRateLimits, type LimitName, type RateLimitOptions } from "../../../src/http/rate-limits.ts";
import type { Credential } from "../../../src/ingest/authenticate.ts";

/** Counted since the beginning, by limit and key. */
let counts: Map<string, number>;
let lines: unknown[][];

const limit = (name: LimitName, most: number) => ({
  limit: ({ key }: { readonly key: string }) => {
    const count = (counts.get(`${name}|${key}`) ?? 0) + 1;
    counts.set(`${name}|${key}`, count);
    return Promise.resolve({ success: count <= most });
  },
});

const options = (more: Partial<RateLimitOptions> = {}): RateLimitOptions => ({
  bindings: {
    credential: limit("credential", 3),
    address: limit("address", 5),
    unknown: limit("unknown", 2),
  },
  quotas: {
    credential: { requests: 3, seconds: 10 },
    address: { requests: 5, seconds: 10 },
    unknown: { requests: 2, seconds: 60 },
  },
  secret: "only-for-tests",
  logger: (...line) => void lines.push(line),
  ...more,
});

const backend: Credential = { id: "backend", scopes: new Set(["read"]) };
const other: Credential = { id: "other", scopes: new Set(["read"]) };
const proxy: Credential = { id: "proxy", scopes: new Set(["trusted-proxy"]) };

const from = (address: string, forwarded?: string) =>
  new Headers({
    "cf-connecting-ip": address,
    ...(forwarded === undefined ? {} : { "x-forwarded-for": forwarded }),
  });

/** How many of so many in a row are let through. */
async function admitted(times: number, once: () => Promise<void>): Promise<number> {
  let through = 0;
  for (let time = 0; time < times; time += 1) {
    await once().then(
      () => (through += 1),
      (error: unknown) => expect(error).toMatchObject({ code: "rate-limited", status: 429 }),
    );
  }
  return through;
}

beforeEach(() => {
  counts = new Map();
  lines = [];
});

describe("the limits", () => {
  test("count a credential wherever it comes from, and tell when to come back", async () => {
    const limits = createRateLimits(options());
    expect(await admitted(3, () => limits.count(backend, from("192.0.2.1")))).toBe(3);
    await expect(limits.count(backend, from("192.0.2.2"))).rejects.toMatchObject({
      headers: { "retry-after": "10" },
    });
  });

  test("leave others behind an address what a refused credential does not use", async () => {
    const limits = createRateLimits(options());
    expect(await admitted(100, () => limits.count(backend, from("192.0.2.1")))).toBe(3);
    expect(await admitted(2, () => limits.count(other, from("192.0.2.1")))).toBe(2);
    expect(await admitted(1, () => limits.count(other, from("192.0.2.1")))).toBe(0);
  });

  test("count each client of a trusted proxy by itself, and the proxy not at all", async () => {
    const limits = createRateLimits(options());
    const through = (client: string) =>
      admitted(10, () => limits.count(proxy, from("192.0.2.1", `${client}, 10.0.0.1`)));
    for (const client of ["8.8.8.8", "9.9.9.9", "2001:4860:4860::8888"]) {
      expect(await through(client), client).toBe(3);
    }
  });

  test("do not let others than a trusted proxy choose what they are counted under", async () => {
    const limits = createRateLimits(options());
    let turn = 0;
    const once = () => limits.count(backend, from("192.0.2.1", `9.9.9.${(turn += 1)}`));
    expect(await admitted(10, once)).toBe(3);
  });

  test("tell a key from a token whose subject has its name", async () => {
    const limits = createRateLimits(options());
    await admitted(10, () => limits.count({ ...backend, subject: "backend" }, from("192.0.2.1")));
    expect(await admitted(3, () => limits.count(backend, from("192.0.2.2")))).toBe(3);
  });

  test("count what is not known apart from what is", async () => {
    const limits = createRateLimits(options());
    expect(await admitted(10, () => limits.countUnknown(from("192.0.2.1")))).toBe(2);
    expect(await admitted(10, () => limits.countUnknown(from("192.0.2.2")))).toBe(2);
    expect(await admitted(10, () => limits.countOpen(from("192.0.2.1")))).toBe(5);
  });

  test("hand no address on, nor a hash that can be made without the secret", async () => {
    const limits = createRateLimits(options());
    await limits.count(proxy, from("192.0.2.1", "9.9.9.9"));
    await limits.countUnknown(from("192.0.2.1"));
    const keys = [...counts.keys()].join("\n");
    expect(counts.size).toBe(3);
    for (const address of ["192.0.2.1", "9.9.9.9"]) {
      const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(address)));
      expect(keys).not.toContain(address);
      expect(keys).not.toContain(Buffer.from(hash).toString("hex").slice(0, 16));
    }
    const others = createRateLimits(options({ secret: "another" }));
    await others.countUnknown(from("192.0.2.1"));
    expect(counts.size).toBe(4);
  });

  test("say what they are in RateLimit-Policy", () => {
    expect(createRateLimits(options()).policy).toBe(
      '"credential";q=3;w=10, "address";q=5;w=10, "unknown";q=2;w=60',
    );
  });

  test("are off without a binding or without a quota", async () => {
    const none = { credential: undefined, address: undefined, unknown: undefined };
    const unset = { credential: null, address: null, unknown: null };
    for (const more of [{ bindings: none }, { quotas: unset }]) {
      const limits = createRateLimits(options(more));
      expect(limits.policy).toBeNull();
      expect(await admitted(100, () => limits.count(backend, from("192.0.2.1")))).toBe(100);
      expect(await admitted(100, () => limits.countUnknown(from("192.0.2.1")))).toBe(100);
    }
    expect(counts.size).toBe(0);
  });

  test("refuse nobody while the counters fail, and say so", async () => {
    const failing = { limit: () => Promise.reject(new Error("counters are away")) };
    const bindings = { credential: failing, address: undefined, unknown: undefined };
    const limits = createRateLimits(options({ bindings }));
    expect(await admitted(10, () => limits.count(backend, from("192.0.2.1")))).toBe(10);
    expect(lines[0]).toEqual([
      "warn",
      "rate-limit-unavailable",
      { limit: "credential", error: "Error: counters are away" },
    ]);
  });

  test("count no address where there is none, or no readable one", async () => {
    const limits = createRateLimits(options());
    expect(await admitted(10, () => limits.countOpen(new Headers()))).toBe(10);
    expect(await admitted(10, () => limits.countOpen(from("nowhere")))).toBe(10);
  });
});

describe("one client is", () => {
  test.each([
    ["an IPv4 address, also written as IPv6", "192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2"],
    ["the /64 of an IPv6 address", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::1", "2001:db8:1:3::1"],
  ])("%s", (_, address, same, another) => {
    expect(clientPart(address)).toBe(clientPart(same));
    expect(clientPart(address)).not.toBe(clientPart(another));
  });

  test("no text that is no address", () => {
    for (const text of ["", "unknown", "999.1.1.1", "a:b", "192.0.2.1:80"]) {
      expect(clientPart(text), text).toBeNull();
    }
  });
});

import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Env } from "../../../src/env.ts";
import { answered, keys, newBid } from "../edge/client.ts";
import { formsOf, Isolate, watchLogs } from "./world.ts";

interface Made {
  readonly id: string;
  readonly key: string;
  readonly createdAt: string;
}

const { DATABASE } = env as unknown as Env;
const path = "/v1/keys";
let isolate: Isolate;

beforeEach(() => {
  isolate = new Isolate();
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const make = (more: Record<string, unknown> = {}, of: Isolate = isolate): Promise<Made> =>
  answered<Made>(of.call(path, { body: { scopes: ["read"], ...more } }), 201);

const revoke = async (id: string, of: Isolate = isolate): Promise<number> =>
  (await of.call(`${path}/${id}`, { method: "DELETE" })).status;

describe("a key that is made", () => {
  test("is told once, in an answer that nothing keeps, and works at once", async () => {
    const response = await isolate.call(path, { body: { id: "app-1", scopes: ["read"], subject: "ada" } });
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(response.headers.get("location")).toBe("/v1/keys/app-1");
    const { key, ...view } = await answered<Made>(response, 201);
    expect(view).toEqual({
      ...{ id: "app-1", scopes: ["read"], subject: "ada", createdBy: "operator" },
      createdAt: expect.stringMatching(/Z$/) as string,
    });
    expect(key).toMatch(/^gvl_app-1_[0-9a-f]{64}$/);
    expect(await isolate.statusOf(key)).toBe(200);
    expect(await answered(isolate.call("/v1/keys/app-1"), 200)).toEqual(view);
    expect(await answered(isolate.call(path), 200)).toMatchObject({
      keys: expect.arrayContaining([view]) as unknown[],
      keysOfSecret: expect.arrayContaining([{ id: "operator", scopes: ["operate", "read"] }]) as unknown[],
    });
  });

  test("gets an id where none is chosen", async () => {
    const { id, key } = await make();
    expect(id).toMatch(/^[0-9a-f]{16}$/);
    expect(await isolate.statusOf(key)).toBe(200);
  });

  test("may do what its scopes say, and write for its subject alone", async () => {
    const { key } = await make({ scopes: ["bids:write"], subject: "ada" });
    expect(await isolate.statusOf(key)).toBe(403);
    const bid = (bidderId: string) =>
      isolate.call("/v1/bids", { as: key, body: newBid("lamp-of-nobody", { bidderId }) });
    expect(await answered(bid("ben"), 403)).toMatchObject({ code: "forbidden-subject" });
    expect((await bid("ada")).status).toBe(202);
  });

  test("is kept as its hash, and nowhere else", async () => {
    const { key } = await make();
    const { results } = await DATABASE.prepare("SELECT * FROM api_keys").all();
    const [plain = "", ...others] = await formsOf(key);
    expect(JSON.stringify(results)).toContain(others[2]);
    expect(JSON.stringify(results)).not.toContain(plain);
    expect(JSON.stringify(results)).not.toContain(plain.split("_")[2]);
  });
});

describe("a revocation", () => {
  test("holds at once where it is made, and everywhere within a minute, without a deploy", async () => {
    const elsewhere = new Isolate();
    const { id, key } = await make();
    expect(await elsewhere.statusOf(key)).toBe(200);
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.advanceTimersByTime(20_000);
    expect(await revoke(id)).toBe(204);
    expect(await isolate.statusOf(key)).toBe(401);
    vi.advanceTimersByTime(35_000);
    // Used here, so that it is read again; the answer does not wait for that.
    let status = await elsewhere.statusOf(key);
    for (let looks = 0; looks < 200 && status === 200; looks += 1) {
      await scheduler.wait(10);
      status = await elsewhere.statusOf(key);
    }
    expect(status).toBe(401);
  });

  test("holds within a minute also where the key was not used since, and where the database is away", async () => {
    const elsewhere = new Isolate();
    const { id, key } = await make();
    const away = { prepare: () => ({ bind: () => ({ all: () => Promise.reject(new Error("away")) }) }) };
    let database: unknown = DATABASE;
    const cutOff = new Isolate({
      DATABASE: { prepare: (sql: string) => (database as D1Database).prepare(sql) },
    });
    expect(await elsewhere.statusOf(key)).toBe(200);
    expect(await cutOff.statusOf(key)).toBe(200);
    vi.useFakeTimers({ toFake: ["Date"] });
    expect(await revoke(id)).toBe(204);
    database = away;
    vi.advanceTimersByTime(59_000);
    expect(await cutOff.statusOf(key)).toBe(200);
    vi.advanceTimersByTime(1_001);
    expect(await elsewhere.statusOf(key)).toBe(401);
    const refused = await cutOff.call("/v1/stats/cells", { as: key });
    expect(refused.headers.get("retry-after")).toBe("1");
    expect(await answered(refused, 503)).toMatchObject({ code: "database-unavailable", retryable: true });
    // The secret's keys need no database.
    expect(await cutOff.statusOf(keys.backend)).toBe(200);
  });

  test("may be repeated, and ends no other key", async () => {
    const [one, other] = [await make(), await make()];
    expect(await revoke(one.id)).toBe(204);
    expect(await revoke(one.id)).toBe(204);
    expect(await isolate.statusOf(other.key)).toBe(200);
    expect(await answered(isolate.call(`${path}/${one.id}`), 200)).toHaveProperty("revokedAt");
  });
});

describe("refused are", () => {
  test.each([
    ["no scopes", {}, "required"],
    ["an empty list of scopes", { scopes: [] }, "too-small"],
    ["a scope that there is not", { scopes: ["admin"] }, "invalid-format"],
    ["a scope twice", { scopes: ["read", "read"] }, "invalid-format"],
    ["an id with the key's own separator", { scopes: ["read"], id: "a_b" }, "invalid-format"],
    ["a subject that nobody can be", { scopes: ["read"], subject: ".." }, "invalid-format"],
    ["a secret of one's own", { scopes: ["read"], key: "gvl_x_y" }, "unknown-field"],
  ])("%s", async (_, body, code) => {
    expect(await answered(isolate.call(path, { body }), 422)).toMatchObject({ code });
  });

  test("an id that was given before, or is the secret's", async () => {
    const { id, key } = await make();
    await revoke(id);
    const again = isolate.call(path, { body: { id, scopes: ["read"] } });
    expect(await answered(again, 409)).toMatchObject({ code: "key-exists" });
    expect(await isolate.statusOf(key)).toBe(401);
    const ofSecret = isolate.call(path, { body: { id: "operator", scopes: ["read"] } });
    expect(await answered(ofSecret, 409)).toMatchObject({ code: "key-of-secret" });
    const removed = isolate.call(`${path}/operator`, { method: "DELETE" });
    expect(await answered(removed, 409)).toMatchObject({ code: "key-of-secret" });
  });

  test("ids of no key", async () => {
    for (const id of ["nobody", "a_b", "%2e%2e", "x".repeat(65)]) {
      for (const method of ["GET", "DELETE"]) {
        const answer = isolate.call(`${path}/${id}`, { method });
        expect((await answer).status, `${method} ${id}`).toBe(404);
      }
    }
  });

  test("credentials without the scope operate", async () => {
    for (const [method, to] of [
      ["POST", path],
      ["GET", path],
      ["DELETE", `${path}/x`],
    ] as const) {
      const answer = isolate.call(to, { as: "backend", method });
      expect(await answered(answer, 403)).toMatchObject({ code: "missing-scope" });
    }
  });
});

test("a key of the secret stays what the secret says, whatever the database has under its id", async () => {
  await DATABASE.prepare(
    "INSERT INTO api_keys (id, sha256, scopes, created_at, created_by) VALUES ('backend', ?, '[\"operate\"]', 0, 'x')",
  )
    .bind("00".repeat(32))
    .run();
  expect(await isolate.statusOf(keys.backend)).toBe(200);
  expect((await isolate.call(path, { as: "backend" })).status).toBe(403);
});

test("keys are listed page by page", async () => {
  for (let one = 0; one < 3; one += 1) await make();
  const seen: string[] = [];
  let next: string | undefined = "";
  while (next !== undefined) {
    const query = next === "" ? "" : `&cursor=${next}`;
    const page: { keys: Made[]; next?: string } = await answered(
      isolate.call(`${path}?limit=2${query}`),
      200,
    );
    seen.push(...page.keys.map(({ id }) => id));
    next = page.next;
  }
  expect(seen).toEqual([...new Set(seen)].toSorted());
  expect(seen.length).toBeGreaterThan(2);
});

test("every change leaves one audit line, with who, by which request and which key; a refusal leaves none", async () => {
  const lines = watchLogs();
  const { id } = await make({ subject: "ada" });
  await isolate.call(path, { body: { id, scopes: ["read"] } });
  await revoke(id);
  await revoke("nobody");
  const audits = lines
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ event }) => event === "audit");
  const common = {
    ...{ level: "info", event: "audit", keyId: id, credential: "operator" },
    requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    traceId: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
  };
  expect(audits).toEqual([
    { ...common, action: "key.created", scopes: ["read"], subject: "ada" },
    { ...common, action: "key.revoked" },
  ]);
});

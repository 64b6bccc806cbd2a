import { abortAllDurableObjects } from "cloudflare:test";
import { beforeEach, describe, expect, test } from "vitest";
import { answered, call, type Call } from "../edge/client.ts";
import { type Body, listed, operate, path, removeAll, subscribe, subscriptionsObject, url } from "./world.ts";

beforeEach(removeAll);

const nobody = "01a20b5e-de70-7cda-8cae-dedce463b188";
const day = 24 * 3_600_000;

/** What a refusal answers, once it is a problem document. */
async function problemOf(to: string, status: number, options: Call = {}) {
  const response = await operate(to, options);
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  return answered<{ code: string; detail: string; errors: unknown[] }>(response, status);
}

describe("POST /v1/subscriptions", () => {
  test("makes a subscription: 201 with its place, its defaults and its secret", async () => {
    const started = Date.now();
    const response = await operate(path, { body: { url, types: ["gavel.bidder.won.v1"] } });
    const made = await answered<Body>(response, 201);
    expect(response.headers.get("location")).toBe(`${path}/${made.id}`);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(made).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      url,
      filter: { types: ["gavel.bidder.won.v1"] },
      order: "key",
      mode: "structured",
      batch: { count: 1 },
      from: "latest",
      status: "active",
      createdAt: expect.stringMatching(/^\d{4}-.*Z$/) as string,
      createdBy: "operator",
      secrets: [{ createdAt: made.createdAt }],
      secret: expect.stringMatching(/^whsec_[A-Za-z0-9+/]{43}=$/) as string,
    });
    expect(Math.abs(Date.parse(String(made.createdAt)) - started)).toBeLessThan(10_000);
    const { secret: _, ...shown } = made;
    expect(await answered(operate(`${path}/${made.id}`), 200)).toEqual(shown);
    expect(await listed()).toEqual([shown]);
  });

  test("is 422 with every fault, and makes nothing", async () => {
    const body = { url: "http://hooks.example.com", order: "random", ordre: "key" };
    const problem = await problemOf(path, 422, { body });
    expect(problem.code).toBe("invalid-subscription");
    expect(problem.errors).toHaveLength(3);
    expect(problem.errors).toContainEqual(
      expect.objectContaining({ pointer: "/ordre", code: "unknown-field" }),
    );
    expect(await problemOf(path, 422, { body: { url, ordre: "key" } })).toMatchObject({
      code: "unknown-field",
    });
    expect(await problemOf(path, 422, { body: [] })).toMatchObject({ code: "invalid-type" });
    expect(await problemOf(path, 422, { method: "POST" })).toMatchObject({ code: "required" });
    expect(await listed()).toEqual([]);
  });

  test("is 400, 413 or 415 for a body that cannot be read, and makes nothing", async () => {
    expect(await problemOf(path, 400, { body: "{" })).toMatchObject({ code: "malformed-json" });
    const twice = `{"url":"${url}","url":"${url}"}`;
    expect(await problemOf(path, 400, { body: twice })).toMatchObject({ code: "duplicate-key" });
    const large = JSON.stringify({ url, note: "x".repeat(70_000) });
    expect(await problemOf(path, 413, { body: large })).toMatchObject({ code: "body-too-large" });
    const typed = { body: JSON.stringify({ url }), headers: { "content-type": "text/plain" } };
    expect(await problemOf(path, 415, typed)).toMatchObject({ code: "unsupported-media-type" });
    expect(await listed()).toEqual([]);
  });

  test("is 409 beyond 100, for all but as many as there is room for when several come at once", async () => {
    for (let made = 0; made < 98; made += 1) await subscribe();
    const responses = await Promise.all(Array.from({ length: 6 }, () => operate(path, { body: { url } })));
    const statuses = responses.map(({ status }) => status).toSorted((left, right) => left - right);
    expect(statuses).toEqual([201, 201, 409, 409, 409, 409]);
    expect(await problemOf(path, 409, { body: { url } })).toMatchObject({ code: "too-many-subscriptions" });
    expect(await listed()).toHaveLength(100);
  });

  test("makes two of two that come at once, each with an id and a secret of its own", async () => {
    const [one, other] = await Promise.all([subscribe(), subscribe()]);
    expect(one.id).not.toBe(other.id);
    expect(one.secret).not.toBe(other.secret);
    expect((await listed()).map(({ id }) => id).toSorted()).toEqual([one.id, other.id].toSorted());
  });
});

describe("a subscription", () => {
  test("outlives the end of its object, with its secrets", async () => {
    const { id, secret } = await subscribe({ filter: { all: [{ field: "amount", from: 5 }] } });
    const before = await listed();
    await abortAllDurableObjects();
    expect(await listed()).toEqual(before);
    const changes = await subscriptionsObject().changesSince(null);
    expect(changes).toMatchObject({ subscriptions: [{ id, secrets: [{ secret }] }] });
  });

  test("is gone after DELETE, for partitions as well", async () => {
    const { id } = await subscribe();
    const kept = await subscribe();
    const response = await operate(`${path}/${id}`, { method: "DELETE" });
    expect([response.status, await response.text()]).toEqual([204, ""]);
    expect(await problemOf(`${path}/${id}`, 404)).toMatchObject({ code: "unknown-subscription" });
    expect(await problemOf(`${path}/${id}`, 404, { method: "DELETE" })).toMatchObject({
      code: "unknown-subscription",
    });
    expect(await subscriptionsObject().changesSince(null)).toMatchObject({
      subscriptions: [{ id: kept.id }],
    });
  });

  test("that is not there is 404 on every route, whatever its id", async () => {
    for (const id of [nobody, "x", "..%2fsecrets", "a".repeat(2_000), "%00"]) {
      const code = "unknown-subscription";
      expect(await problemOf(`${path}/${id}`, 404), id).toMatchObject({ code });
      expect(await problemOf(`${path}/${id}`, 404, { method: "DELETE" }), id).toMatchObject({ code });
      expect(await problemOf(`${path}/${id}/secrets`, 404, { method: "POST" }), id).toMatchObject({ code });
      expect(await problemOf(`${path}/${id}/enable`, 404, { method: "POST" }), id).toMatchObject({ code });
    }
  });
});

describe("POST /v1/subscriptions/{id}/secrets", () => {
  test("answers a new secret; the one before expires in a day, an older one is gone", async () => {
    const { id, secret } = await subscribe();
    const response = await operate(`${path}/${id}/secrets`, { method: "POST" });
    const second = await answered<Body & { secret: string }>(response, 201);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(second.secret).not.toBe(secret);
    const { secret: _, ...shown } = second;
    expect(await answered(operate(`${path}/${id}`), 200)).toEqual(shown);
    const [newest, previous] = second.secrets;
    expect(newest?.expiresAt).toBeUndefined();
    expect(Date.parse(previous?.expiresAt ?? "") - Date.parse(newest?.createdAt ?? "")).toBe(day);

    const third = await answered<{ secret: string }>(operate(`${path}/${id}/secrets`, { body: {} }), 201);
    const changes = await subscriptionsObject().changesSince(null);
    expect(changes).toMatchObject({
      subscriptions: [{ secrets: [{ secret: third.secret }, { secret: second.secret }] }],
    });
    expect(JSON.stringify(changes)).not.toContain(secret);
  });

  test("refuses what it does not understand, and rotates nothing", async () => {
    const { id } = await subscribe();
    const before = await listed();
    const problem = await problemOf(`${path}/${id}/secrets`, 422, { body: { validFor: 1 } });
    expect(problem).toMatchObject({ code: "unknown-field", errors: [{ pointer: "/validFor" }] });
    expect(await listed()).toEqual(before);
  });
});

describe("POST /v1/subscriptions/{id}/enable", () => {
  test("makes a disabled subscription active again, and says when", async () => {
    const { id } = await subscribe();
    const at = Date.now();
    expect(await subscriptionsObject().disable(id, "The endpoint answered 410 Gone", at)).toBe("disabled");
    expect(await answered(operate(`${path}/${id}`), 200)).toMatchObject({
      ...{ status: "disabled", disabledReason: "The endpoint answered 410 Gone" },
      disabledAt: new Date(at).toISOString(),
    });
    const enabled = await answered<Body>(operate(`${path}/${id}/enable`, { method: "POST" }), 200);
    expect(enabled).toMatchObject({ id, status: "active" });
    expect(enabled).not.toHaveProperty("disabledReason");
    expect(enabled).not.toHaveProperty("disabledAt");
    expect(Date.parse(String(enabled.enabledAt))).toBeGreaterThanOrEqual(at);
    expect(await subscriptionsObject().changesSince(null)).toMatchObject({
      subscriptions: [{ id, status: "active", enabledAt: Date.parse(String(enabled.enabledAt)) }],
    });
  });

  test("of an active one is 200 and changes nothing", async () => {
    const { id, secret: _, ...shown } = await subscribe();
    const before = await subscriptionsObject().changesSince(null);
    const answer = await answered(operate(`${path}/${id}/enable`, { method: "POST" }), 200);
    expect(answer).toEqual({ id, ...shown });
    expect(await subscriptionsObject().changesSince(null)).toEqual(before);
  });
});

describe("credentials", () => {
  const requests: readonly (readonly [string, string])[] = [
    ["GET", path],
    ["POST", path],
    ["GET", `${path}/${nobody}`],
    ["DELETE", `${path}/${nobody}`],
    ["POST", `${path}/${nobody}/secrets`],
    ["POST", `${path}/${nobody}/enable`],
  ];

  test.each(requests)("%s %s is 401 without one and 403 without the scope operate", async (method, to) => {
    expect(await answered(call(to, { key: null, method }), 401)).toMatchObject({ code: "unauthenticated" });
    for (const key of ["client", "backend", "trusted"] as const) {
      expect(await answered(call(to, { key, method }), 403), key).toMatchObject({ code: "missing-scope" });
    }
  });

  test("other methods are 405 with Allow", async () => {
    for (const [to, allow] of [
      [path, "GET, HEAD, POST, OPTIONS"],
      [`${path}/${nobody}`, "GET, HEAD, DELETE, OPTIONS"],
      [`${path}/${nobody}/secrets`, "POST, OPTIONS"],
      [`${path}/${nobody}/enable`, "POST, OPTIONS"],
    ] as const) {
      const response = await operate(to, { method: "PUT", body: {} });
      expect([response.status, response.headers.get("allow")], to).toEqual([405, allow]);
    }
  });
});

test("a partition learns what changed since the version that it has, and nothing where nothing did", async () => {
  const { id } = await subscribe();
  const first = await subscriptionsObject().changesSince(null);
  if (first === "unchanged") throw new Error("whoever knows no version is told everything");
  expect(await subscriptionsObject().changesSince(first.version)).toBe("unchanged");
  await answered(operate(`${path}/${id}/secrets`, { method: "POST" }), 201);
  const second = await subscriptionsObject().changesSince(first.version);
  if (second === "unchanged") throw new Error("a rotation is a change");
  expect(second.version).toBeGreaterThan(first.version);
});

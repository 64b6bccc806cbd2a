import { afterEach, describe, expect, test, vi } from "vitest";
import { answered, call, type KeyName } from "./client.ts";

const put = (id: string, body: unknown, key: KeyName | null = "operator") =>
  call(`/v1/profiles/${id}`, { key, method: "PUT", body });
const get = (id: string, key: KeyName | null = "backend") => call(`/v1/profiles/${id}`, { key });

const ada = {
  displayName: "Ada \u{1f600}",
  country: "NL",
  rating: 4.5,
  attributes: { since: 2019, verified: true, tier: "gold" },
};

test("a profile is made with 201, put again with 200, read, and deleted with 204", async () => {
  const made = await answered<{ updatedAt: string }>(put("ada", ada), 201);
  expect(made).toEqual({ id: "ada", ...ada, updatedAt: expect.stringMatching(/Z$/) as string });
  expect(await answered(get("ada"), 200)).toEqual(made);
  expect(await answered(get("ada", "operator"), 200)).toEqual(made);
  const changed = await answered(put("ada", { displayName: "Ada" }), 200);
  expect(await answered(get("ada"), 200)).toEqual(changed);
  expect(changed).not.toHaveProperty("rating");
  const gone = () => call("/v1/profiles/ada", { key: "operator", method: "DELETE" });
  expect((await gone()).status).toBe(204);
  expect(await answered(get("ada"), 404)).toMatchObject({ code: "unknown-profile" });
  expect((await gone()).status).toBe(204);
  await answered(put("ada", {}), 201);
});

afterEach(() => void vi.restoreAllMocks());

test("every change leaves one audit line, with who, by which request and which profile; a refusal leaves none", async () => {
  const lines: string[] = [];
  vi.spyOn(console, "log").mockImplementation((line: unknown) => void lines.push(String(line)));
  await put("cleo", {});
  await put("cleo", ada);
  await put("cleo", { name: "Cleo" });
  await call("/v1/profiles/cleo", { key: "operator", method: "DELETE" });
  const audits = lines
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ event }) => event === "audit");
  const common = {
    ...{ level: "info", event: "audit", profile: "cleo", credential: "operator" },
    requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    traceId: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
  };
  expect(audits).toEqual([
    { ...common, action: "profile.put", created: true },
    { ...common, action: "profile.put", created: false },
    { ...common, action: "profile.deleted" },
  ]);
});

describe("refusals", () => {
  test("without a credential, and without the scope operate for a change", async () => {
    expect((await get("ben", null)).status).toBe(401);
    for (const method of ["PUT", "DELETE"]) {
      const refused = call("/v1/profiles/ben", { key: "backend", method, body: {} });
      expect(await answered(refused, 403)).toMatchObject({ code: "missing-scope" });
    }
    expect((await get("ben")).status).toBe(404);
  });

  test.each([
    ["an unknown field", { name: "Ben" }, 422, "unknown-field", "/name"],
    ["a country that is none", { country: "nl" }, 422, "invalid-format", "/country"],
    ["a rating out of bounds", { rating: 101 }, 422, "too-big", "/rating"],
    ["an empty name", { displayName: "" }, 422, "too-short", "/displayName"],
    ["a nested attribute", { attributes: { a: {} } }, 422, "invalid-type", "/attributes/a"],
    ["a long attribute", { attributes: { a: "x".repeat(101) } }, 422, "too-long", "/attributes/a"],
  ])("%s", async (_, body, status, code, pointer) => {
    expect(await answered(put("ben", body), status)).toMatchObject({ code, errors: [{ pointer }] });
    expect((await get("ben")).status).toBe(404);
  });

  test.each([
    ["no body", "", 400, "malformed-json"],
    ["a key twice", '{"country":"NL","country":"DE"}', 400, "duplicate-key"],
    ["an array", "[]", 422, "invalid-type"],
    ["too many bytes", `{"displayName":"${" ".repeat(65_536)}"}`, 413, "body-too-large"],
  ])("%s", async (_, body, status, code) => {
    expect(await answered(put("ben", body), status)).toMatchObject({ code });
  });

  test("an id that none can be", async () => {
    expect(await answered(put("a%20b", {}), 400)).toMatchObject({ code: "invalid-parameter" });
    expect(await answered(get("a%20b"), 404)).toMatchObject({ code: "unknown-profile" });
    expect((await call("/v1/profiles/ben", { method: "POST", body: {} })).headers.get("allow")).toBe(
      "GET, HEAD, PUT, DELETE, OPTIONS",
    );
  });
});

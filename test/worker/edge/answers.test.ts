import { describe, expect, test } from "vitest";
import { routes } from "../../../src/routes/table.ts";
import { answered, call, newBid, newItem, openItem } from "./client.ts";

/** Every path of the table, with something in its parameters, and its methods. */
const paths = Object.entries(routes).map(([pattern, methods]) => ({
  path: pattern.replaceAll(/:[A-Za-z]+/g, (name) => (name === ":group" ? "notify" : "0")),
  methods: Object.keys(methods),
}));
const withGet = paths.filter(({ methods }) => methods.includes("GET")).map(({ path }) => path);

/** Of a request's own making: they differ between two that are alike. */
const changing = ["x-request-id", "content-length", "date"];

const comparable = (headers: Headers) =>
  [...headers]
    .filter(([name]) => !changing.includes(name))
    .toSorted(([left], [right]) => left.localeCompare(right));

describe("HEAD", () => {
  test.each(withGet)("of %s has the status and the headers of GET, and no body", async (path) => {
    const options = { key: "operator" } as const;
    const [got, head] = [await call(path, options), await call(path, { ...options, method: "HEAD" })];
    expect(head.status).toBe(got.status);
    expect(comparable(head.headers)).toEqual(comparable(got.headers));
    expect(await head.text()).toBe("");
    expect(await got.text()).not.toBe("");
  });

  test("of an item that is there has its status as well, and where there is no GET there is no HEAD", async () => {
    const { itemId } = await openItem();
    expect((await call(`/v1/items/${itemId}`, { method: "HEAD" })).status).toBe(200);
    expect((await call("/v1/bids", { method: "HEAD" })).status).toBe(405);
    expect((await call("/v1/nothing", { method: "HEAD" })).status).toBe(404);
  });
});

describe("OPTIONS and methods that are not there", () => {
  test.each(paths)("of $path tell what there is: $methods", async ({ path, methods }) => {
    const allow = methods.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method]));
    const response = await call(path, { key: null, method: "OPTIONS" });
    expect(response.status).toBe(204);
    expect(response.headers.get("allow")).toBe([...allow, "OPTIONS"].join(", "));
    expect(await response.text()).toBe("");
    for (const method of ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "PURGE"]) {
      if (allow.includes(method)) continue;
      const refused = await call(path, { key: null, method });
      expect([method, refused.status, refused.headers.get("allow")]).toEqual([
        method,
        405,
        [...allow, "OPTIONS"].join(", "),
      ]);
    }
  });

  test("of a path that is none are 404", async () => {
    for (const method of ["OPTIONS", "PATCH", "GET"])
      expect((await call("/v1/nothing", { key: null, method })).status).toBe(404);
  });
});

describe("Accept", () => {
  test.each([
    "application/json",
    "*/*",
    "application/*",
    "application/problem+json",
    "text/html, */*;q=0.1",
    "APPLICATION/JSON; charset=utf-8",
    "text/html;q=0.9,application/json;q=0.001",
    "application/xml, application/*;q=0.5",
    "none at all",
  ])("%s is answered", async (accept) => {
    expect((await call("/v1/items", { headers: { accept } })).status).toBe(200);
  });

  test.each([
    "text/html",
    "application/xml;q=0.9, image/*",
    "application/json;q=0",
    "application/json;q=0, application/problem+json;q=0, */*",
    "application/*;q=0, */*;q=1",
    "*/*;q=0",
  ])("%s is 406, a problem all the same", async (accept) => {
    const response = await call("/v1/items", { headers: { accept } });
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(await answered(response, 406)).toMatchObject({ code: "not-acceptable", retryable: false });
  });

  test("is looked at before anything is written", async () => {
    const item = newItem();
    const refused = await call("/v1/items", { body: item, headers: { accept: "text/csv" } });
    expect(refused.status).toBe(406);
    const outcome = await answered(call("/v1/items", { body: item, headers: { prefer: "wait=10" } }), 200);
    expect(outcome).toMatchObject({ outcome: { status: "accepted" } });
  });

  test("of metrics is about text", async () => {
    const metrics = (accept: string) => call("/metrics", { key: "operator", headers: { accept } });
    expect((await metrics("text/plain;version=0.0.4;q=0.5,*/*;q=0.1")).status).toBe(200);
    expect((await metrics("application/json")).status).toBe(406);
  });
});

describe("every answer tells browsers to keep out", () => {
  test.each([
    ["of what was taken", () => call("/v1/bids", { body: newBid("lamp-1") })],
    ["of what was read", () => call("/v1/items")],
    ["of a refusal", () => call("/v1/bids", { body: "{" })],
    ["without a credential", () => call("/v1/items", { key: null })],
    ["of a path that is none", () => call("/nothing", { key: null })],
    ["of a method that is none", () => call("/v1/bids", { key: null, method: "PUT" })],
    ["of OPTIONS", () => call("/v1/bids", { key: null, method: "OPTIONS" })],
    ["of health", () => call("/healthz", { key: null })],
    ["of figures", () => call("/metrics", { key: "operator" })],
  ])("%s", async (_, send) => {
    const { headers } = await send();
    expect(Object.fromEntries(headers)).toMatchObject({
      "cache-control": "no-store",
      "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
      "cross-origin-resource-policy": "same-origin",
      "referrer-policy": "no-referrer",
      "strict-transport-security": "max-age=31536000",
      "x-content-type-options": "nosniff",
      "x-request-id": expect.any(String) as string,
    });
  });
});

import { describe, expect, test } from "vitest";
import type { OpenApiDocument } from "../../../contract/document.ts";
import { routes } from "../../../src/routes/table.ts";
import { requireDocumented } from "../contract.ts";
import { answered, call } from "./client.ts";

const open = { key: null } as const;

describe("the documents", () => {
  test.each([
    ["/openapi.json", { openapi: "3.1.0" }],
    ["/asyncapi.json", { asyncapi: "3.0.0" }],
  ])("%s is answered without a credential, and may be kept for a while", async (path, members) => {
    const answer = await call(path, open);
    expect(answer.headers.get("content-type")).toBe("application/json");
    expect(answer.headers.get("cache-control")).toBe("public, max-age=300");
    expect(await answered(answer, 200)).toMatchObject(members);
  });

  test("is not sent again to who has it", async () => {
    const first = await call("/openapi.json", open);
    await first.body?.cancel();
    const etag = first.headers.get("etag") ?? "";
    expect(etag).toMatch(/^(?:W\/)?".+"$/);
    const again = await call("/openapi.json", { ...open, headers: { "if-none-match": etag } });
    expect(again.status).toBe(304);
    expect(await again.text()).toBe("");
    expect(again.headers.get("etag")).toBe(etag);
    const other = await call("/openapi.json", { ...open, headers: { "if-none-match": '"other"' } });
    await answered(other, 200);
  });

  test("has no method but GET and HEAD", async () => {
    const answer = await call("/openapi.json", { ...open, method: "POST" });
    expect(answer.headers.get("allow")).toBe("GET, HEAD, OPTIONS");
    await answered(answer, 405);
    const head = await call("/openapi.json", { ...open, method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
  });
});

test("the document that is served and the routes name the same paths and methods, both ways", async () => {
  const { paths } = await answered<OpenApiDocument>(call("/openapi.json", open), 200);
  const documented = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const served = Object.entries(routes).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`),
  );
  expect(documented.toSorted()).toEqual(served.toSorted());
});

describe("the page", () => {
  test("may load nothing from elsewhere, and holds no script or style of its own", async () => {
    const answer = await call("/docs", open);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("text/html; charset=utf-8");
    const policy = answer.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain("unsafe");
    const page = await answer.text();
    expect(page).not.toMatch(/<script(?![^>]* src=)|<style|style=|https?:/);
  });

  test("finds every file that it names", async () => {
    const page = await (await call("/docs", open)).text();
    const files = [...page.matchAll(/(?:src|href)="(\/docs\/[^"]+)"/g)].map(([, path = ""]) => path);
    expect(files.length).toBeGreaterThanOrEqual(5);
    for (const file of files) {
      const answer = await call(file, open);
      expect(answer.status, file).toBe(200);
      expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
      expect((await answer.arrayBuffer()).byteLength, file).toBeGreaterThan(100);
    }
  });

  test.each(["/docs/country.mmdb", "/docs/openapi.json", "/docs/..%2Fopenapi.json", "/docs/"])(
    "serves nothing else: %s",
    async (path) => {
      expect(await answered(call(path, open), 404)).toMatchObject({ code: "not-found" });
    },
  );
});

describe("an answer that is not as the document says fails the test that got it", () => {
  test.each([
    ["a status", "/healthz", { status: 299, body: '{"status":"ok"}' }],
    ["a member", "/healthz", { status: 200, body: '{"status":"ok","since":0}' }],
    ["a path", "/v1/nothing", { status: 200, body: "{}" }],
  ])("%s", async (_, path, { status, body }) => {
    const headers = { "content-type": "application/json", "x-request-id": crypto.randomUUID() };
    const answer = new Response(body, { status, headers });
    await expect(requireDocumented("GET", path, answer)).rejects.toThrow("not as the document says");
  });
});

import { describe, expect, test } from "vitest";
import { allowedMethods } from "../../../src/http/methods.ts";
import { routes } from "../../../src/routes/table.ts";
import { Isolate } from "../credentials/world.ts";
import { answered } from "./client.ts";

const shop = "https://shop.example.com";
const gateway = new Isolate({ CORS_ORIGINS: `${shop}, http://localhost:3000` });

/** Every path of the table, with a value for each parameter. */
const paths = Object.entries(routes).map(([pattern, methods]) => ({
  path: pattern.replaceAll(/:\w+/g, "1"),
  methods: allowedMethods(Object.keys(methods)),
}));

const preflight = (path: string, headers: Record<string, string> = {}, of = gateway) =>
  of.call(path, {
    as: null,
    method: "OPTIONS",
    headers: { origin: shop, "access-control-request-method": "POST", ...headers },
  });

const corsHeaders = (response: Response) =>
  [...response.headers.keys()].filter((name) => name.startsWith("access-control-"));

describe("a preflight", () => {
  test("of every route says its methods, to a listed origin and without a credential", async () => {
    expect(paths.length).toBeGreaterThan(30);
    for (const { path, methods } of paths) {
      const response = await preflight(path);
      expect(response.status, path).toBe(204);
      expect(response.headers.get("access-control-allow-origin"), path).toBe(shop);
      expect(response.headers.get("access-control-allow-methods"), path).toBe(methods);
      expect(response.headers.get("access-control-max-age")).toBe("7200");
      expect(response.headers.get("vary")).toContain("Origin");
      expect(await response.text()).toBe("");
    }
  });

  test("allows the headers that clients need, those of CloudEvents too, and no others", async () => {
    const asked = "Authorization, Content-Type,idempotency-key,PREFER,traceparent,tracestate,last-event-id";
    const response = await preflight("/v1/events", {
      "access-control-request-headers": `${asked}, ce-id, CE-Myextension, x-forwarded-for, cf-connecting-ip, ce-, cookie`,
    });
    expect(response.headers.get("access-control-allow-headers")).toBe(
      `${asked.toLowerCase().split(/,\s*/).join(", ")}, ce-id, ce-myextension`,
    );
  });

  test("of a path that is not there is 404, which its page may read", async () => {
    const response = await preflight("/v1/nothing");
    expect(response.status).toBe(404);
    expect(response.headers.get("access-control-allow-origin")).toBe(shop);
  });

  test.each(["https://evil.example.com", "http://shop.example.com", "null", "https://SHOP.example.com"])(
    "of the origin %s, which is not listed, allows nothing",
    async (origin) => {
      const response = await preflight("/v1/bids", { origin });
      expect(corsHeaders(response)).toEqual([]);
      expect(response.headers.get("vary")).toContain("Origin");
    },
  );

  test("allows nothing where no origin is listed", async () => {
    const response = await preflight("/v1/bids", {}, new Isolate());
    expect(corsHeaders(response)).toEqual([]);
  });

  test("lets no cookie go with a request", async () => {
    expect((await preflight("/v1/bids")).headers.has("access-control-allow-credentials")).toBe(false);
  });
});

describe("an answer", () => {
  const exposed = [
    "X-Request-Id",
    "Location",
    "Retry-After",
    "RateLimit-Policy",
    "Preference-Applied",
    "Allow",
  ];

  test("may be read by pages of a listed origin, also a refusal", async () => {
    for (const as of ["backend", "gvl_x_y", null]) {
      const response = await gateway.call("/v1/stats/cells", {
        as,
        headers: { origin: "http://localhost:3000" },
      });
      expect(response.headers.get("access-control-allow-origin")).toBe("http://localhost:3000");
      expect(response.headers.get("vary")).toContain("Origin");
      const told = response.headers.get("access-control-expose-headers")?.split(", ");
      for (const name of exposed) expect(told).toContain(name);
      await response.arrayBuffer();
    }
  });

  test("to another origin is given, and no page may read it", async () => {
    const headers = { origin: "https://evil.example.com" };
    const response = await gateway.call("/v1/stats/cells", { as: "backend", headers });
    expect(response.status).toBe(200);
    expect(corsHeaders(response)).toEqual([]);
    expect(response.headers.get("vary")).toContain("Origin");
  });

  test("to a program that sends no origin tells caches that others may get another", async () => {
    const response = await gateway.call("/v1/stats/cells", { as: "backend" });
    expect(corsHeaders(response)).toEqual([]);
    expect(response.headers.get("vary")).toContain("Origin");
  });
});

test("a WebSocket that a page of another origin opens is 403, whatever its credential", async () => {
  const open = (origin: string) =>
    gateway.call("/v1/items", {
      as: "backend",
      headers: { origin, upgrade: "websocket", connection: "Upgrade" },
    });
  expect(await answered(open("https://evil.example.com"), 403)).toMatchObject({ code: "forbidden-origin" });
  expect((await open(shop)).status).not.toBe(403);
  expect((await open("https://gavel.test")).status).not.toBe(403);
});

import { describe, expect, test } from "vitest";
import { isAllowedOrigin, requireOriginOfUpgrade } from "../../../src/http/cors.ts";

const listed = new Set(["https://shop.example.com"]);
const url = "https://gavel.example.com/v1/live";

const upgrade = (origin?: string) =>
  new Request(url, { headers: { upgrade: "WebSocket", ...(origin === undefined ? {} : { origin }) } });

describe("a page may hold a connection open", () => {
  test.each([
    ["of a listed origin", "https://shop.example.com"],
    ["of the gateway itself", "https://gavel.example.com"],
    ["that is none, but a program", undefined],
  ])("%s", (_, origin) => {
    expect(isAllowedOrigin(upgrade(origin), listed)).toBe(true);
    expect(() => requireOriginOfUpgrade(upgrade(origin), listed)).not.toThrow();
  });

  test.each([
    "https://evil.example.com",
    "http://shop.example.com",
    "https://shop.example.com:8443",
    "https://shop.example.com.evil.com",
    "null",
    "",
  ])("but not of %j", (origin) => {
    expect(isAllowedOrigin(upgrade(origin), listed)).toBe(false);
    expect(() => requireOriginOfUpgrade(upgrade(origin), listed)).toThrow(
      expect.objectContaining({ code: "forbidden-origin", status: 403 }) as Error,
    );
  });
});

test("a request that opens no connection is taken from any origin", () => {
  const request = new Request(url, { headers: { origin: "https://evil.example.com" } });
  expect(() => requireOriginOfUpgrade(request, listed)).not.toThrow();
});

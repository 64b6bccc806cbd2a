import { expect, test } from "vitest";
import { readKeyRequest } from "../../../src/credentials/validate.ts";

test.each([".", ".."])("a key cannot be called %s: no path could name it, and nobody revoke it", (id) => {
  expect(() => readKeyRequest({ id, scopes: ["read"] })).toThrow(
    expect.objectContaining({ code: "invalid-format" }) as Error,
  );
});

test.each(["a", "...", ".a", "a.", "app-1.eu"])("a key may be called %s", (id) => {
  expect(readKeyRequest({ id, scopes: ["read"] })).toEqual({ id, scopes: ["read"] });
});

import { describe, expect, test } from "vitest";
import { AddressError, createGuardedFetch } from "../../../../src/functions/http/guarded-fetch.ts";

function watched(allowLoopback: boolean) {
  const calls: { readonly url: string; readonly init: RequestInit }[] = [];
  const fetch = createGuardedFetch({
    allowLoopback,
    fetch: (url, init) => {
      calls.push({ url, init });
      return Promise.resolve(new Response(null, { status: 302, headers: { location: "http://10.0.0.1/" } }));
    },
  });
  return { calls, fetch };
}

describe("what a function fetches", () => {
  test.each([
    "http://profiles.example.com/",
    "https://10.0.0.1/",
    "https://[::1]/",
    "https://2130706433/",
    "https://metadata.internal/",
    "https://user:secret@profiles.example.com/",
    "http://localhost:8080/",
    "profiles",
  ])("is never %s, and the error holds nothing of the address", async (url) => {
    const { calls, fetch } = watched(false);
    const error: unknown = await fetch(url, {}).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(AddressError);
    expect(String(error)).not.toContain(url);
    expect(calls).toEqual([]);
  });

  test("is a public host by HTTPS, and a redirect is the answer, also where following was asked for", async () => {
    const { calls, fetch } = watched(false);
    const response = await fetch("https://profiles.example.com/look-up", {
      method: "POST",
      redirect: "follow",
    });
    expect(response.status).toBe(302);
    expect(calls).toEqual([
      { url: "https://profiles.example.com/look-up", init: { method: "POST", redirect: "manual" } },
    ]);
  });

  test("may be on the own machine where the configuration allows it", async () => {
    const { calls, fetch } = watched(true);
    await fetch("http://127.0.0.1:8080/", {});
    expect(calls).toHaveLength(1);
  });
});

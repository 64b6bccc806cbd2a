import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import type { Env } from "../../../src/env.ts";
import { call } from "./client.ts";

const { ASSETS } = env as unknown as Env;

describe("assets", () => {
  test("the Worker reads what is deployed beside it", async () => {
    const answer = await ASSETS.fetch("https://assets.invalid/country.mmdb");
    expect(answer.status).toBe(200);
    expect((await answer.arrayBuffer()).byteLength).toBeGreaterThan(1_000_000);
  });

  test("nothing of it is served without the Worker's say", async () => {
    const answer = await call("/country.mmdb", { key: null });
    expect(answer.status).toBe(404);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(await answer.json()).toMatchObject({ code: "not-found" });
  });

  test("what is no asset is not there", async () => {
    const answer = await ASSETS.fetch("https://assets.invalid/nothing.mmdb");
    expect(answer.status).toBe(404);
    await answer.body?.cancel();
  });
});

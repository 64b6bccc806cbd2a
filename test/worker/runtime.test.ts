import { env } from "cloudflare:workers";
import { expect, test } from "vitest";

test("the tests' Worker runs in workerd beside the real bridge", async () => {
  const bindings = env as unknown as Record<string, string>;
  const answer = await fetch(`${bindings.KAFKA_URL}/healthz`);
  expect(navigator.userAgent).toBe("Cloudflare-Workers");
  expect(await answer.json()).toEqual({ status: "ok" });
});

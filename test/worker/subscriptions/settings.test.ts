import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { createApp } from "../../../src/app.ts";
import type { Env } from "../../../src/env.ts";
import { answered, keys } from "../edge/client.ts";
import { path, url } from "./world.ts";

const working = env as unknown as Env;

/** The same Worker with other variables or bindings. */
async function callWith(variables: Partial<Record<keyof Env, unknown>>, body?: object): Promise<Response> {
  const context = createExecutionContext();
  const request = new Request(`https://gavel.test${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Bearer ${keys.operator}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const response = await createApp().fetch(request, { ...working, ...variables }, context);
  await waitOnExecutionContext(context);
  return response;
}

test("a subscriber on the gateway's own machine is refused, unless development allows it", async () => {
  const body = { url: "http://127.0.0.1:9/hook" };
  const refused = await answered(await callWith({ ALLOW_LOOPBACK_ENDPOINTS: "false" }, body), 422);
  expect(refused).toMatchObject({ code: "forbidden-url", errors: [{ pointer: "/url" }] });
  expect(await answered(await callWith({ ALLOW_LOOPBACK_ENDPOINTS: "true" }, body), 201)).toMatchObject(body);
});

test("where hosts are listed, a subscriber at another one is refused", async () => {
  const SUBSCRIBER_HOSTS = "hooks.example.com, *.partner.org";
  const other = await answered(await callWith({ SUBSCRIBER_HOSTS }, { url: "https://evil.org/" }), 422);
  expect(other).toMatchObject({
    code: "forbidden-url",
    errors: [{ pointer: "/url", message: "must name one of the hosts that SUBSCRIBER_HOSTS lists" }],
  });
  const body = { url: "https://eu.partner.org/hook" };
  expect(await answered(await callWith({ SUBSCRIBER_HOSTS }, body), 201)).toMatchObject(body);
});

test("an object that does not answer is 503, to be tried again", async () => {
  const namespace = {
    getByName: () => ({
      list: () => Promise.reject(new Error("the object was reset")),
      create: () => Promise.reject(new Error("the object was reset")),
    }),
  };
  const away = { SUBSCRIPTIONS: namespace };
  const read = await callWith(away);
  expect(read.headers.get("retry-after")).toBe("1");
  const unavailable = { code: "subscriptions-unavailable", retryable: true };
  expect(await answered(read, 503)).toMatchObject(unavailable);
  expect(await answered(await callWith(away, { url }), 503)).toMatchObject({
    ...unavailable,
    detail: "The subscriptions do not answer; the change may have been made",
  });
});

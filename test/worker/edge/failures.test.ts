import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { createApp } from "../../../src/app.ts";
import type { Env } from "../../../src/env.ts";
import worker from "../../../src/index.ts";
import { answered, call, type Coordinates, keys, newBid, newItem, openItem } from "./client.ts";

const working = env as unknown as Env;

/** The same Worker with other variables; its log and objects are real, where they can be reached. */
async function callWith(variables: Partial<Record<keyof Env, unknown>>, path: string, body?: unknown) {
  const context = createExecutionContext();
  const request = new Request(`https://gavel.test${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Bearer ${keys.backend}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const response = await createApp().fetch(request, { ...working, ...variables }, context);
  await waitOnExecutionContext(context);
  return response;
}

/** A port of this machine on which nobody listens. */
const nowhere = { KAFKA_URL: "http://127.0.0.1:9" };

test("a log that is away is 503 within the produce's deadline, to be sent again", async () => {
  const started = Date.now();
  const response = await callWith({ ...nowhere, PRODUCE_TIMEOUT_MS: "500" }, "/v1/bids", newBid("lamp-1"));
  expect(response.headers.get("retry-after")).toBe("1");
  expect(await answered(response, 503)).toMatchObject({
    code: expect.stringMatching(/^log-/) as string,
    retryable: true,
  });
  expect(Date.now() - started).toBeLessThan(2_000);
});

test("a batch of which the log takes nothing is 503, with a result for each event", async () => {
  const body = [newBid("lamp-1"), { itemId: "lamp-1" }];
  const response = await callWith({ ...nowhere, PRODUCE_TIMEOUT_MS: "300" }, "/v1/bids", body);
  expect(response.headers.get("content-type")).toBe("application/json");
  expect(response.headers.get("retry-after")).toBe("1");
  expect(await answered(response, 503)).toMatchObject({
    accepted: 0,
    rejected: 2,
    results: [
      { index: 0, status: 503 },
      { index: 1, status: 422 },
    ],
  });
});

test("a log with another partition count is 503 with the plain reason, and nothing is written", async () => {
  const refused = await answered(await callWith({ PARTITION_COUNT: "4" }, "/v1/bids", newBid("lamp-1")), 503);
  expect(refused).toMatchObject({
    code: "partition-count-mismatch",
    detail: "Topic auction.items has 8 partitions in the log and 4 in the configuration",
  });
  const ready = await answered(await callWith({ PARTITION_COUNT: "4" }, "/readyz"), 503);
  expect(ready).toMatchObject({
    status: "unready",
    checks: { log: expect.stringContaining("8 partitions") as string },
  });
  // Of the topics that the edge does not write, each.
  const { topics: others } = (ready as { checks: { topics: string } }).checks;
  for (const name of ["completed", "notifications", "validated", "dead-letters"])
    expect(others).toContain(`Topic auction.${name} has 8 partitions`);
  expect(await answered(await callWith({}, "/readyz"), 200)).not.toHaveProperty("checks.topics");
});

test("topics that the log lacks, and credentials that it refuses, are 503 in other words", async () => {
  const missing = callWith({ TOPIC_PREFIX: "nobody-made." }, "/v1/bids", newBid("lamp-1"));
  expect(await answered(await missing, 503)).toMatchObject({ code: "topic-missing" });
  const refused = callWith({ KAFKA_PASSWORD: "wrong" }, "/v1/bids", newBid("lamp-1"));
  expect(await answered(await refused, 503)).toMatchObject({ code: "log-refused" });
});

test("a configuration that cannot be used is 503 for what needs it, and tells no client why", async () => {
  const wrong = { PRODUCE_TIMEOUT_MS: "5000" };
  const text = await (await callWith(wrong, "/v1/bids", newBid("lamp-1"))).text();
  expect(JSON.parse(text)).toMatchObject({ status: 503, code: "misconfigured" });
  expect(text).not.toContain("PRODUCE_TIMEOUT_MS");
  expect((await callWith(wrong, "/healthz")).status).toBe(200);
  expect((await callWith(wrong, "/readyz")).status).toBe(503);
});

/** Objects that fail, the first `failures` times that one is called. */
function failing(failures: number, error: Error) {
  let calls = 0;
  const real = working.PARTITIONS;
  const namespace = {
    getByName: (name: string) => {
      const stub = real.getByName(name);
      return new Proxy(stub, {
        get: (_, method: string) => async (argument: unknown) => {
          calls += 1;
          if (calls <= failures) throw error;
          const operation = (stub as unknown as Record<string, (argument: unknown) => Promise<unknown>>)[
            method
          ];
          return operation?.(argument);
        },
      });
    },
  };
  return { namespace, calls: () => calls };
}

test("a push that fails is tried once more, and not at all where the object is overloaded", async () => {
  const once = failing(1, new Error("the object was reset"));
  expect((await callWith({ PARTITIONS: once.namespace }, "/v1/bids", newBid("lamp-1"))).status).toBe(202);
  expect(once.calls()).toBe(2);
  const overloaded = failing(9, Object.assign(new Error("overloaded"), { overloaded: true }));
  expect((await callWith({ PARTITIONS: overloaded.namespace }, "/v1/bids", newBid("lamp-1"))).status).toBe(
    202,
  );
  expect(overloaded.calls()).toBe(1);
});

test("what was acknowledged while its push was lost is found by the sweep", async () => {
  const { itemId } = await openItem();
  const lost = failing(Number.POSITIVE_INFINITY, new Error("the network is gone"));
  const response = await callWith({ PARTITIONS: lost.namespace }, "/v1/bids", newBid(itemId));
  const { topic, partition, offset } = await answered<Coordinates>(response, 202);

  const controller = { scheduledTime: Date.now(), cron: "* * * * *", noRetry: () => {} };
  await worker.scheduled(controller, working);
  const view = call(`/v1/items/${itemId}?after=${topic}:${partition}:${offset}`);
  expect(await answered(view, 200)).toMatchObject({ bids: 1, highest: { bidderId: "ben" } });
});

test("a reader of a partition that does not answer is told so", async () => {
  const { itemId } = newItem();
  const gone = failing(Number.POSITIVE_INFINITY, new Error("the object was reset"));
  const response = await callWith({ PARTITIONS: gone.namespace }, `/v1/items/${itemId}`);
  expect(await answered(response, 503)).toMatchObject({ code: "partition-unavailable", retryable: true });
});

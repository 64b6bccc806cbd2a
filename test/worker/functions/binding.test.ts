import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, test } from "vitest";
import { type BoundFunction, createBindingFunction } from "../../../src/functions/binding.ts";
import type { FunctionRecord, InvocationResult } from "../../../src/functions/function.ts";

/** An entrypoint of another Worker, in vitest.config.ts: it answers by the function's name. */
const { ELSEWHERE: elsewhere } = env as unknown as { readonly ELSEWHERE: BoundFunction };

let invoke: ReturnType<typeof createBindingFunction>;

beforeEach(() => {
  invoke = createBindingFunction(elsewhere);
});

function record(offset: number): FunctionRecord {
  const topic = "auction.completed";
  return {
    id: `${topic}/0/${offset}/elsewhere`,
    topic,
    partition: 0,
    offset,
    timestamp: 1_700_000_000_000,
    key: "Stühle",
    value: JSON.stringify({ price: offset }),
    headers: [{ key: "ce_type", value: "gavel.item.completed.v1" }],
    traceparent,
    attempt: 1,
  };
}

const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

function call(name: string, count = 3): Promise<InvocationResult> {
  const records = Array.from({ length: count }, (_, index) => record(index));
  const deadline = Date.now() + 10_000;
  return invoke({
    group: "prices",
    function: name,
    records,
    deadline,
    signal: new AbortController().signal,
  });
}

describe("a function in another Worker, by a service binding", () => {
  test("gets the records in columns, and its outcomes come back in their order", async () => {
    expect((await call("echo")).outcomes).toEqual([
      { status: "reject", reason: 'Stühle 0 {"price":0} ce_type\ngavel.item.completed.v1 1' },
      { status: "reject", reason: 'Stühle 1 {"price":1} ce_type\ngavel.item.completed.v1 1' },
      { status: "reject", reason: 'Stühle 2 {"price":2} ce_type\ngavel.item.completed.v1 1' },
    ]);
  });

  test("gets the trace of each record", async () => {
    const outcomes = (await call("trace", 2)).outcomes;
    expect(outcomes.map((outcome) => outcome?.status === "reject" && outcome.reason)).toEqual([
      traceparent,
      traceparent,
    ]);
  });

  test("answers for a large batch by one word", async () => {
    const { outcomes } = await call("done", 1_000);
    expect(outcomes).toHaveLength(1_000);
    expect(new Set(outcomes.map((outcome) => outcome?.status))).toEqual(new Set(["done"]));
  });

  test("leaves to be tried again what it does not answer for", async () => {
    expect((await call("half", 4)).outcomes).toEqual([{ status: "done" }, undefined, { status: "done" }]);
  });

  test("rejects where it throws, and where its answer cannot cross over", async () => {
    await expect(call("throw")).rejects.toThrow("broken on purpose");
    await expect(call("class")).rejects.toThrow(/serializ|DataCloneError/i);
    await expect(call("done")).resolves.toMatchObject({ outcomes: [{}, {}, {}] });
  });

  test.each(["nothing", "text", "number"])(
    "fails as a whole where its answer is no result: %s",
    async (name) => {
      expect(await call(name)).toEqual({
        outcomes: [],
        failure: { reason: "the function's answer is not a result" },
      });
    },
  );
});

import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { createApp } from "../../../src/app.ts";
import { answered, keys } from "../edge/client.ts";

const lines: Record<string, unknown>[] = [];
beforeAll(() => {
  for (const method of ["log", "warn", "error"] as const) {
    vi.spyOn(console, method).mockImplementation((line: unknown) => {
      lines.push(JSON.parse(String(line)) as Record<string, unknown>);
    });
  }
});
beforeEach(() => void (lines.length = 0));
afterAll(() => void vi.restoreAllMocks());

const audits = () => lines.filter(({ event }) => event === "audit");

/** A change that the Worker makes with objects of the test's own. */
function post(
  path: string,
  objects: (name: string) => object,
  context: ExecutionContext,
  body?: unknown,
): Response | Promise<Response> {
  const request = new Request(`https://gavel.test${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${keys.operator}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return createApp().fetch(request, { ...env, PARTITIONS: { getByName: objects } }, context);
}

async function redriven(objects: (name: string) => object, status: number) {
  const context = createExecutionContext();
  const response = await post("/v1/groups/notify/dead-letters/redrive", objects, context, { all: true });
  await waitOnExecutionContext(context);
  return answered<Record<string, unknown> & { partitions: unknown[] }>(response, status);
}

const takesBack = { redrive: () => Promise.resolve({ redriven: 2, left: 1 }) };
const breaks = { redrive: () => Promise.reject(new Error("the object was reset")) };

test("a partition that fails keeps no other's answer of a redrive back, and each has its audit line", async () => {
  const answer = await redriven((name) => (name === "notify/3" ? breaks : takesBack), 200);
  expect(answer).toMatchObject({ group: "notify", redriven: 14, left: 7 });
  expect(answer.partitions).toHaveLength(8);
  expect(answer.partitions[3]).toEqual({
    partition: 3,
    code: "partition-unavailable",
    detail: "Partition 3 does not answer; the change may have been made",
  });
  expect(answer.partitions[4]).toEqual({ partition: 4, redriven: 2, left: 1 });
  const told = audits().toSorted((left, right) => Number(left["partition"]) - Number(right["partition"]));
  expect(told.map(({ partition }) => partition)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(told[3]).toMatchObject({ action: "dead-letters.redriven", outcome: "unknown" });
  expect(told[4]).toMatchObject({ action: "dead-letters.redriven", redriven: 2, credential: "operator" });
});

test("a redrive that fails everywhere is the failure, with an audit line for each partition", async () => {
  const problem = await redriven(() => breaks, 503);
  expect(problem).toMatchObject({ code: "partition-unavailable" });
  expect(audits()).toHaveLength(8);
});

test("a change that nobody waits for any more is made, and leaves its audit line", async () => {
  const kept: Promise<unknown>[] = [];
  let end: () => void = () => undefined;
  const changed = new Promise<void>((resolve) => void (end = resolve));
  const context = {
    ...createExecutionContext(),
    waitUntil: (work: Promise<unknown>) => void kept.push(work),
  };
  const objects = () => ({ setPaused: () => changed });
  const answer = post("/v1/groups/notify/partitions/2/pause", objects, context);
  await vi.waitFor(() => expect(kept).toHaveLength(1));
  expect(audits()).toEqual([]);
  end();
  await Promise.all(kept);
  expect(audits()).toMatchObject([{ action: "partition.paused", partition: 2 }]);
  await answer;
});

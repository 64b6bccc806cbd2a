import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { answered, call, keys } from "../edge/client.ts";
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { createApp } from "../../../src/app.ts";
import { newId } from "../partition/world.ts";
import { operate } from "../subscriptions/world.ts";
import { NotifyPartition, problemOf } from "./world.ts";

const notifyPath = "/v1/groups/notify/partitions/0";
const auctionPath = "/v1/groups/auction/partitions/0";
const redrivePath = "/v1/groups/notify/dead-letters/redrive";

const lines: Record<string, unknown>[] = [];
beforeAll(() => {
  for (const method of ["log", "warn", "error"] as const) {
    vi.spyOn(console, method).mockImplementation((line: unknown) => {
      lines.push(JSON.parse(String(line)) as Record<string, unknown>);
    });
  }
});
afterAll(() => void vi.restoreAllMocks());

const audits = (): Record<string, unknown>[] =>
  lines.filter(({ event, action }) => event === "audit" && !String(action).startsWith("subscription."));

const requests: readonly (readonly [string, string])[] = [
  ["GET", "/metrics"],
  ["GET", "/v1/groups"],
  ["GET", "/v1/groups/notify/partitions"],
  ["GET", notifyPath],
  ["POST", `${notifyPath}/pause`],
  ["POST", `${notifyPath}/resume`],
  ["POST", `${notifyPath}/seek`],
  ["POST", `${auctionPath}/seek`],
  ["GET", `${notifyPath}/parked`],
  ["POST", `${notifyPath}/parked/key/retry`],
  ["POST", `${notifyPath}/parked/key/skip`],
  ["GET", "/v1/groups/notify/dead-letters"],
  ["POST", redrivePath],
];

test.each(requests)("%s %s is 401 without a key and 403 without the scope operate", async (method, to) => {
  expect(await answered(call(to, { key: null, method }), 401)).toMatchObject({ code: "unauthenticated" });
  for (const key of ["client", "backend", "trusted"] as const)
    expect(await answered(call(to, { key, method }), 403), key).toMatchObject({ code: "missing-scope" });
});

test("groups and partitions that are none are 404, however they are written", async () => {
  for (const group of ["nobody", "__proto__", "constructor", "toString", "Notify", "%6eotify%00"])
    expect(await problemOf(`/v1/groups/${group}/partitions`, 404), group).toMatchObject({
      code: "not-found",
    });
  for (const partition of ["8", "-1", "1.5", "01", "1e0", "x", "%20", "99999999999999999999", "0x1"]) {
    expect(await problemOf(`/v1/groups/notify/partitions/${partition}`, 404), partition).toMatchObject({
      code: "not-found",
    });
    const seek = { body: { offset: 0 } };
    expect(await problemOf(`/v1/groups/notify/partitions/${partition}/seek`, 404, seek)).toMatchObject({
      code: "not-found",
    });
  }
});

test("other methods are 405 with Allow", async () => {
  const response = await operate(`${notifyPath}/seek`, { method: "DELETE" });
  expect([response.status, response.headers.get("allow")]).toEqual([405, "POST, OPTIONS"]);
});

test("a seek's body is refused with every fault, and moves nothing", async () => {
  const notify = await NotifyPartition.with(0);
  const before = await notify.view();
  const seek = `${notify.path}/seek`;
  const faults: readonly (readonly [unknown, string])[] = [
    [{}, "required"],
    [{ offset: "0" }, "invalid-type"],
    [{ offset: null }, "invalid-type"],
    [{ offset: 1.5 }, "invalid-type"],
    [{ offset: -1 }, "too-small"],
    [{ offset: [0] }, "invalid-type"],
    [{ offset: 0, skip: "yes" }, "invalid-type"],
    [{ offset: 0, wipe: true }, "unknown-field"],
    [[], "invalid-type"],
    ["null", "invalid-type"],
  ];
  for (const [body, code] of faults)
    expect(await problemOf(seek, 422, { body }), JSON.stringify(body)).toMatchObject({ code });
  const several = await problemOf(seek, 422, { body: { offset: -1, skip: 1, also: true } });
  expect(several.code).toBe("invalid-operation");
  expect(several.errors.map(({ pointer }) => pointer).toSorted()).toEqual(["/also", "/offset", "/skip"]);
  for (const body of ['{"offset":1e400}', '{"offset":9007199254740993}'])
    expect(await problemOf(seek, 400, { body })).toMatchObject({ code: "imprecise-number" });
  expect(await problemOf(seek, 400, { body: "{" })).toMatchObject({ code: "malformed-json" });
  expect(await problemOf(seek, 400, { body: '{"offset":1,"offset":0}' })).toMatchObject({
    code: "duplicate-key",
  });
  expect(await problemOf(seek, 413, { body: `{"offset":0${" ".repeat(70_000)}}` })).toMatchObject({
    code: "body-too-large",
  });
  const typed = { body: '{"offset":0}', headers: { "content-type": "text/plain" } };
  expect(await problemOf(seek, 415, typed)).toMatchObject({ code: "unsupported-media-type" });
  expect(await notify.view()).toEqual(before);
});

test("a redrive's body is refused with every fault", async () => {
  const faults: readonly (readonly [unknown, string])[] = [
    [{}, "required"],
    [{ all: false }, "invalid-format"],
    [{ all: 1 }, "invalid-format"],
    [{ ids: [] }, "too-small"],
    [{ ids: "0-1" }, "invalid-type"],
    [{ ids: [1] }, "invalid-type"],
    [{ ids: ["0-1", "1", "0-01", "-1-1", "0-1-1", "0-9999999999999999"] }, "invalid-format"],
    [{ ids: Array.from({ length: 501 }, () => "0-1") }, "too-big"],
    [{ ids: ["0-1"], all: true }, "given-twice"],
    [{ id: "0-1" }, "unknown-field"],
  ];
  for (const [body, code] of faults)
    expect(await problemOf(redrivePath, 422, { body }), JSON.stringify(body)?.slice(0, 60)).toMatchObject({
      code,
    });
  // Ids that nothing has, also of partitions that are none, are nothing to be redriven.
  const nobodys = await answered(operate(redrivePath, { body: { ids: ["0-999999", "9999-1"] } }), 200);
  expect(nobodys).toMatchObject({ redriven: 0 });
});

test("an operation without settings takes no body, or an empty object, and nothing else", async () => {
  for (const operation of ["pause", "resume", "parked/x/retry", "parked/x/skip"])
    expect(
      await problemOf(`${notifyPath}/${operation}`, 422, { body: { until: "tomorrow" } }),
      operation,
    ).toMatchObject({ code: "unknown-field", errors: [{ pointer: "/until" }] });
});

test("the group that keeps state has no pause, nothing parked and no dead letters of its own: 409", async () => {
  for (const [method, to] of [
    ["POST", `${auctionPath}/pause`],
    ["POST", `${auctionPath}/resume`],
    ["GET", `${auctionPath}/parked`],
    ["POST", `${auctionPath}/parked/key/retry`],
    ["POST", `${auctionPath}/parked/key/skip`],
    ["GET", "/v1/groups/auction/dead-letters"],
    ["POST", "/v1/groups/auction/dead-letters/redrive"],
  ] as const)
    expect(await problemOf(to, 409, { method }), to).toMatchObject({ code: "not-supported" });
});

test("every change leaves one audit line, with who, by which request, what and where; a refusal leaves none", async () => {
  const notify = await NotifyPartition.with(1);
  await notify.publish(newId("item"));
  await notify.delivered(1);
  const { topics } = await notify.settled();
  const position = topics[0]?.position ?? 0;
  lines.length = 0;
  await notify.post("pause");
  await notify.post("seek", { offset: position - 1 });
  await notify.post("resume");
  await problemOf(`${notify.path}/seek`, 409, { body: { offset: position + 5, skip: true } });
  await problemOf(`${notify.path}/parked/nobody/retry`, 404, { method: "POST" });
  await notify.redrive({ ids: ["1-999999"] });
  const common = {
    ...{ level: "info", event: "audit", group: "notify", partition: 1, credential: "operator" },
    requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    traceId: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
  };
  expect(audits()).toEqual([
    { ...common, action: "partition.paused" },
    {
      ...common,
      action: "partition.sought",
      offset: position - 1,
      skip: false,
      from: position,
      to: position - 1,
    },
    { ...common, action: "partition.resumed" },
  ]);
});

test("an audit line is written whatever LOG_LEVEL leaves out, and says so where it is not known what came of it", async () => {
  lines.length = 0;
  const reset = { getByName: () => ({ seek: () => Promise.reject(new Error("the object was reset")) }) };
  const context = createExecutionContext();
  const request = new Request(`https://gavel.test${notifyPath}/seek`, {
    method: "POST",
    headers: { authorization: `Bearer ${keys.operator}`, "content-type": "application/json" },
    body: JSON.stringify({ offset: 3 }),
  });
  const variables = { ...env, PARTITIONS: reset, LOG_LEVEL: "error" };
  const response = await createApp().fetch(request, variables, context);
  await waitOnExecutionContext(context);
  expect(response.headers.get("retry-after")).toBe("1");
  const problem = await answered<{ code: string; detail: string }>(response, 503);
  expect(problem).toMatchObject({ code: "partition-unavailable" });
  expect(problem.detail).toContain("may have been made");
  expect(lines).toEqual([
    expect.objectContaining({
      action: "partition.sought",
      offset: 3,
      outcome: "unknown",
      credential: "operator",
    }),
  ]);
});

test("a log that does not answer leaves ends and lag open, and the rest is told", async () => {
  const context = createExecutionContext();
  const request = new Request(`https://gavel.test${notifyPath}`, {
    headers: { authorization: `Bearer ${keys.operator}` },
  });
  const away = { ...env, KAFKA_URL: "http://127.0.0.1:9" };
  const response = await createApp().fetch(request, away, context);
  await waitOnExecutionContext(context);
  expect(await answered(response, 200)).toMatchObject({
    group: "notify",
    topics: [{ endOffset: null, startOffset: null, lag: null, lagMs: null }],
  });
});

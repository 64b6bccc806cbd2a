import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AddressError } from "../../../src/functions/http/guarded-fetch.ts";
import { createHttpProfiles } from "../../../src/functions/enrich/http-profiles.ts";
import { systemClock } from "../../../src/lib/clock.ts";

/** A look-up of real HTTP that answers as told and keeps what it was asked. */
interface Asked {
  readonly line: string;
  readonly headers: IncomingHttpHeaders;
  readonly ids: readonly string[];
}

let server: Server;
let url: string;
let asked: Asked[];
let answer: (response: ServerResponse, ids: readonly string[]) => void;

beforeEach(async () => {
  asked = [];
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { ids } = JSON.parse(Buffer.concat(chunks).toString()) as { readonly ids: readonly string[] };
      asked.push({ line: `${request.method} ${request.url}`, headers: request.headers, ids });
      answer(response, ids);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/profiles`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const json =
  (body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}) =>
  (response: ServerResponse) =>
    void response
      .writeHead(status, { "content-type": "application/json", ...headers })
      .end(JSON.stringify(body));

const now = Date.parse("2026-11-25T12:00:00.000Z");
const source = (timeoutMs = 5_000) =>
  createHttpProfiles({
    url,
    fetch: (target, init) => fetch(target, init),
    headers: { authorization: "Bearer secret" },
    timeoutMs,
    clock: { ...systemClock, now: () => now },
  });

test("profiles are asked for by POST, and are as of the answer unless it says otherwise", async () => {
  answer = json({
    profiles: [
      { id: "ada", displayName: "Ada", rating: 4, extra: "not known", updatedAt: "2026-01-01T00:00:00Z" },
      { id: "ben", asOf: "2026-11-25T11:59:00Z" },
      { id: "cem", asOf: "2026-11-25T12:00:30Z" },
      { id: "never-asked-for" },
    ],
  });
  const found = await source().find(["ada", "ben", "cem", "dan"]);
  expect([...found]).toEqual([
    [
      "ada",
      {
        ok: true,
        value: { profile: { displayName: "Ada", rating: 4, updatedAt: "2026-01-01T00:00:00Z" }, asOf: now },
      },
    ],
    ["ben", { ok: true, value: { profile: {}, asOf: now - 60_000 } }],
    ["cem", { ok: true, value: { profile: {}, asOf: now } }],
  ]);
  expect(asked).toMatchObject([
    {
      line: "POST /profiles",
      ids: ["ada", "ben", "cem", "dan"],
      headers: { authorization: "Bearer secret", "content-type": "application/json" },
    },
  ]);
});

test("more ids than one request has go into several, and all are found", async () => {
  answer = (response, ids) => json({ profiles: ids.map((id) => ({ id, displayName: id })) })(response);
  const ids = Array.from({ length: 450 }, (_, index) => `id-${index}`);
  const found = await source().find(ids);
  expect([...found.keys()].toSorted()).toEqual(ids.toSorted());
  expect(asked.map((request) => String(request.ids.length)).toSorted()).toEqual(["200", "200", "50"]);
});

test("one profile that cannot be read is a fault of its own", async () => {
  answer = json({
    profiles: [
      { id: "ada", rating: "high" },
      { id: "ben", rating: 4 },
    ],
  });
  const found = await source().find(["ada", "ben"]);
  expect(found.get("ada")).toEqual({ ok: false, error: "is no profile" });
  expect(found.get("ben")).toMatchObject({ ok: true });
});

describe("an answer that is none is a failure of the look-up, without a word of the answer:", () => {
  test.each<[string, (response: ServerResponse) => void, string]>([
    ["500", json({ secret: true }, 500), "The look-up answers 500"],
    ["401", json({ secret: true }, 401), "The look-up answers 401"],
    [
      "no JSON",
      (response) => void response.end("<html>secret"),
      "The look-up's answer is not what was agreed",
    ],
    ["another shape", json({ secret: [] }), "The look-up's answer is not what was agreed"],
    [
      "an entry without an id",
      json({ profiles: [{ secret: 1 }] }),
      "The look-up's answer is not what was agreed",
    ],
    [
      "nesting without an end",
      (response) => void response.end(`{"profiles":${"[".repeat(100_000)}`),
      "The look-up's answer is not what was agreed",
    ],
    [
      "a redirect, which is not followed",
      json({}, 302, { location: "/elsewhere" }),
      "The look-up answers 302",
    ],
    ["a cut connection", (response) => void response.destroy(), "The look-up cannot be reached"],
    [
      "a body that is cut",
      (response) => {
        response.writeHead(200, { "content-length": "100" });
        response.write("{", () => response.destroy());
      },
      "The look-up cannot be reached",
    ],
  ])("%s", async (_, how, message) => {
    answer = how;
    await expect(source().find(["ada"])).rejects.toMatchObject({ name: "LookUpError", message });
    expect(asked).toHaveLength(1);
  });

  test("a body without an end, of which no more than 4 MiB is read", async () => {
    let written = 0;
    answer = (response) => {
      response.writeHead(200);
      const more = (): void => {
        if (response.destroyed) return;
        written += 65_536;
        response.write(Buffer.alloc(65_536, 0x20), more);
      };
      more();
    };
    await expect(source().find(["ada"])).rejects.toThrow("is longer than 4194304 bytes");
    expect(written).toBeLessThan(16 * 1024 * 1024);
  });

  test.each<[string, (response: ServerResponse) => void]>([
    ["nothing", () => undefined],
    ["headers and then nothing", (response) => void response.writeHead(200).write("{")],
  ])("%s, until the time is up", async (_, how) => {
    answer = how;
    const started = Date.now();
    await expect(source(200).find(["ada"])).rejects.toThrow("The look-up takes longer than 200 ms");
    expect(Date.now() - started).toBeLessThan(3_000);
  });
});

test.each([
  ["7", 7_000],
  ["Wed, 25 Nov 2026 12:00:20 GMT", 20_000],
  ["Wed, 25 Nov 2026 11:00:00 GMT", 0],
  ["999999999999", 3_600_000],
  ["soon", undefined],
])("Retry-After: %s is a wait of %s ms", async (value, delayMs) => {
  answer = json({}, 429, { "retry-after": value });
  await expect(source().find(["ada"])).rejects.toMatchObject({ name: "LookUpError", delayMs });
});

test("an address that may not be called is told as such", async () => {
  const refusing = createHttpProfiles({
    url,
    fetch: () => Promise.reject(new AddressError("The address must begin with https://")),
    timeoutMs: 5_000,
    clock: systemClock,
  });
  await expect(refusing.find(["ada"])).rejects.toThrow("The address must begin with https://");
});

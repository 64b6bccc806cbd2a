import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { configFromEnv } from "../../../src/config.ts";
import { authenticate } from "../../../src/ingest/authenticate.ts";

const script = join(import.meta.dirname, "../../../scripts/make-api-key.ts");

function makeApiKey(...args: string[]): { status: number | null; key: string; entry: string } {
  const { status, stdout } = spawnSync(process.execPath, [script, ...args], { encoding: "utf8" });
  const [, key = "", entry = ""] = /^key: +(\S+)\nentry: (.+)\n$/.exec(stdout) ?? [];
  return { status, key, entry };
}

function apiKeysOf(entry: string) {
  const env = {
    KAFKA_URL: "http://127.0.0.1",
    KAFKA_USERNAME: "a",
    KAFKA_PASSWORD: "b",
    PARTITION_COUNT: "1",
    API_KEYS: `[${entry}]`,
  };
  return configFromEnv(env).apiKeys;
}

test("a key that was made is known by the entry that was printed with it", async () => {
  const { key, entry } = makeApiKey("--id", "app", "--scopes", "bids:write,read", "--subject", "ada");
  const sources = {
    apiKeys: apiKeysOf(entry),
    storedKeys: { find: () => Promise.reject(new Error("the secret's keys need no database")) },
    tokens: undefined,
  };
  const request = { countUnknown: () => Promise.resolve(), waitUntil: () => undefined };
  expect(await authenticate(`Bearer ${key}`, sources, request)).toMatchObject({
    id: "app",
    scopes: new Set(["bids:write", "read"]),
    subject: "ada",
  });
});

test("the entry does not hold the key", () => {
  const { key, entry } = makeApiKey("--id", "app");
  expect(entry).not.toContain(key.split("_")[2]);
});

test("a key without an id is not made", () => {
  expect(makeApiKey().status).toBe(1);
});

test.each([".", ".."])("nor one with the id %s, which no path can name", (id) => {
  expect(makeApiKey("--id", id)).toMatchObject({ status: 1, entry: "" });
});

test.each([
  ["--scopes", "bids:write,nope"],
  ["--subject", ".."],
])("a key that the Worker would refuse is not made: %s %s", (option, value) => {
  expect(makeApiKey("--id", "app", option, value)).toMatchObject({ status: 1, entry: "" });
});

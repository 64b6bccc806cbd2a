import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { startBridge } from "../../bridge/server.ts";
import { SqliteLog } from "../../bridge/sqlite/sqlite-log.ts";
import { topics } from "../../src/topics.ts";
import { clientSubject, makeApiKeys } from "./api-keys.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Variables and secrets of the Worker under test, beside those of wrangler.toml. */
    bindings: Record<string, string>;
  }
}

/** As wrangler.toml pins it. */
const partitionCount = 8;

/**
 * Starts the real bridge over an empty log, for the tests that run in the Workers runtime, and
 * hands its address and fresh API keys in as bindings. All files share the log, so that a test
 * tells its items from others' by their ids.
 */
export default async function startLog(project: TestProject): Promise<() => Promise<void>> {
  const directory = mkdtempSync(join(tmpdir(), "gavel-worker-tests-"));
  const credentials = { username: "gavel", password: "only-for-tests" };
  const log = new SqliteLog({
    file: join(directory, "log.sqlite"),
    topics: Object.fromEntries(Object.values(topics).map((topic) => [topic, partitionCount])),
  });
  const bridge = await startBridge({ ...credentials, log, port: 0 });
  const { keys, secret } = makeApiKeys();
  project.provide("bindings", {
    KAFKA_URL: bridge.url,
    KAFKA_USERNAME: credentials.username,
    KAFKA_PASSWORD: credentials.password,
    PARTITION_COUNT: String(partitionCount),
    API_KEYS: secret,
    // The receiver of deliveries is on this machine.
    ALLOW_LOOPBACK_ENDPOINTS: "true",
    // For the tests alone: what clients send.
    TEST_KEYS: JSON.stringify(keys),
    TEST_CLIENT_SUBJECT: clientSubject,
  });
  return async () => {
    await bridge.stop();
    rmSync(directory, { recursive: true, force: true });
  };
}

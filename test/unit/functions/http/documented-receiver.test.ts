import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { FunctionRecord } from "../../../../src/functions/function.ts";
import { createHttpFunction, type HttpEndpoint } from "../../../../src/functions/http/http-function.ts";
import { newSecret } from "../../../../src/functions/http/signature.ts";
import { functionRecord } from "./records.ts";

const secrets = [newSecret(), newSecret()];
let directory: string;
let child: ChildProcess;
let url: string;
let output = "";

/** The receiver as docs/webhooks.md shows it, started as its reader would start it. */
beforeAll(async () => {
  const [, code] = /```js\n(.*?)```/s.exec(readFileSync("docs/webhooks.md", "utf8")) ?? [];
  if (code === undefined) throw new Error("docs/webhooks.md shows no receiver");
  directory = mkdtempSync(join(tmpdir(), "gavel-documented-receiver-"));
  symlinkSync(resolve("node_modules"), join(directory, "node_modules"));
  const file = join(directory, "receiver.mjs");
  writeFileSync(file, code);
  const environment = { ...process.env, WEBHOOK_SECRETS: secrets.join(" "), PORT: "0" };
  child = spawn(process.execPath, [file], { env: environment, stdio: ["ignore", "pipe", "inherit"] });
  const listens = new Promise<string>((resolvePort) => {
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      const port = /^listens on (\d+)$/m.exec(output)?.[1];
      if (port !== undefined) resolvePort(port);
    });
  });
  url = `http://127.0.0.1:${await listens}/`;
});

afterAll(async () => {
  child.kill();
  await once(child, "exit");
  rmSync(directory, { recursive: true, force: true });
});

async function deliver(records: readonly FunctionRecord[], endpoint: Partial<HttpEndpoint> = {}) {
  const settings = { url, secrets, mode: "structured", allowLoopback: true } as const;
  const invoke = createHttpFunction(
    { ...settings, ...endpoint },
    { fetch, clock: { now: () => Date.now() } },
  );
  const signal = AbortSignal.timeout(5_000);
  return invoke({ group: "notify", function: "notify", records, deadline: Date.now() + 5_000, signal });
}

/** How often the receiver told of a delivery's effect. */
function effectsOf({ id }: FunctionRecord): number {
  return output.split("\n").filter((line) => line.startsWith(`${id} `)).length;
}

test("the documented receiver verifies with each secret, and makes an effect once", async () => {
  const record = functionRecord({ offset: 1 });
  const done = { outcomes: [{ status: "done" }] };
  expect(await deliver([record], { secrets: secrets.slice(0, 1) })).toEqual(done);
  expect(await deliver([{ ...record, attempt: 2 }], { secrets: secrets.slice(1) })).toEqual(done);
  await expect.poll(() => effectsOf(record)).toBe(1);
});

test("the documented receiver lists what it cannot handle in a batch, and does the rest", async () => {
  const good = functionRecord({ offset: 2 });
  const bad = functionRecord({ offset: 3, headers: { ce_type: "gavel.bidder.unknown.v1" } });
  const { outcomes } = await deliver([good, bad]);
  expect(outcomes).toMatchObject([{ status: "done" }, { status: "reject" }]);
  await expect.poll(() => effectsOf(good)).toBe(1);
  expect(effectsOf(bad)).toBe(0);
});

test("the documented receiver refuses what another secret signed", async () => {
  const { outcomes } = await deliver([functionRecord({ offset: 4 })], { secrets: [newSecret()] });
  expect(outcomes).toEqual([{ status: "reject", reason: "The endpoint answered 401" }]);
});

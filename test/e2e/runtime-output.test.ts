import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import type { ChildMessage, GatewayStart } from "../../local/child-protocol.ts";
import { installRuntimeLauncher } from "../../local/runtime-launcher.ts";

/** Prints in each sweep several times what the pipe from the runtime holds. */
const talkativeWorker = `
let sweeps = 0;
export default {
  scheduled() {
    for (let line = 0; line < 2_000; line += 1) console.log("x".repeat(500));
    sweeps += 1;
  },
  fetch: () => new Response(String(sweeps)),
};
`;

it("however much the runtime prints while a sweep runs, the gateway reads it and goes on", async () => {
  const url = await startGateway(talkativeWorker);
  const sweeps = async (): Promise<number> => {
    const answer = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    return Number(await answer.text());
  };
  await expect.poll(sweeps, { timeout: 30_000, interval: 200 }).toBeGreaterThanOrEqual(2);
});

/** `local/gateway.ts` with another Worker. Answers its URL. */
async function startGateway(worker: string): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), "gavel-gateway-"));
  const bundle = join(directory, "bundle");
  mkdirSync(bundle);
  writeFileSync(join(bundle, "index.js"), worker);
  writeFileSync(
    join(bundle, "worker.json"),
    JSON.stringify({ compatibilityDate: "2026-10-01", bindings: {} }),
  );
  const gateway = spawn(process.execPath, ["local/gateway.ts"], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const ended = new Promise((resolve) => gateway.once("exit", resolve));
  onTestFinished(async () => {
    // One that hangs heeds no other signal; its runtime ends with it.
    gateway.kill("SIGKILL");
    await ended;
    rmSync(directory, { recursive: true, force: true });
  });
  const start: GatewayStart = {
    port: 0,
    bundle,
    objects: join(directory, "objects"),
    runtime: installRuntimeLauncher(directory),
    variables: {},
  };
  gateway.send(start);
  const answer = await new Promise<ChildMessage>((resolve) => gateway.once("message", resolve));
  if (answer.kind !== "ready") throw new Error(answer.message);
  return answer.url;
}

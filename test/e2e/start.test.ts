import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { freePorts } from "../../local/kafka/ports.ts";
import { freshHome, npmStart, runningIn } from "./support/home.ts";

const root = join(import.meta.dirname, "..", "..");

/** Runs a start that is expected to end by itself. */
function start(environment: Readonly<Record<string, string>>, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["local/start.ts", ...args], {
    cwd: root,
    env: { ...process.env, PORT: "0", BRIDGE_PORT: "0", ...environment },
    encoding: "utf8",
    timeout: 30_000,
  });
  return { status, stdout, stderr };
}

describe("npm start", () => {
  it("is up within 10 seconds, and writes where it is and the keys for the owner's eyes alone", async () => {
    const home = freshHome();
    const before = Date.now();
    const gavel = await npmStart({ home });
    expect(Date.now() - before).toBeLessThan(10_000);
    expect(statSync(join(home, "local.json")).mode & 0o777).toBe(0o600);
    expect(gavel.local).toEqual({
      url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) as string,
      bridge: {
        url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) as string,
        username: "gavel",
        password: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      },
      keys: {
        client: expect.stringMatching(/^gvl_client_[0-9a-f]{64}$/) as string,
        backend: expect.stringMatching(/^gvl_backend_[0-9a-f]{64}$/) as string,
        trusted: expect.stringMatching(/^gvl_trusted_[0-9a-f]{64}$/) as string,
        operator: expect.stringMatching(/^gvl_operator_[0-9a-f]{64}$/) as string,
      },
      subjects: { client: "ada" },
    });
    expect((await fetch(`${gavel.local.url}/readyz`)).status).toBe(200);
  });

  it("prints a first auction that works when it is pasted", async () => {
    const gavel = await npmStart({ home: freshHome() });
    const pasted = /^curl [^]*?(?=\n\n)/m.exec(gavel.output())?.[0] ?? "";
    const { stdout } = spawnSync("sh", ["-c", pasted], { encoding: "utf8" });
    const [listed, bid] = stdout.split("\n").map((line) => JSON.parse(line) as object);
    expect(listed).toMatchObject({ topic: "auction.items", offset: 0 });
    expect(bid).toMatchObject({ topic: "auction.bids", outcome: { status: "accepted", bids: 1 } });
  });

  it.each(["SIGINT", "SIGTERM"] as const)(
    "ends in order at %s, with exit code 0 and nothing left running",
    async (signal) => {
      const home = freshHome();
      const gavel = await npmStart({ home });
      expect(
        runningIn(home)
          .map(({ role }) => role)
          .toSorted(),
      ).toEqual(["bridge", "gateway", "workerd"]);
      gavel.child.kill(signal);
      expect(await gavel.ended).toBe(0);
      expect(runningIn(home)).toEqual([]);
    },
  );

  it("keeps its keys from one start to the next, and tells where it is now", async () => {
    const home = freshHome();
    const first = await npmStart({ home });
    await first.stop();
    const second = await npmStart({ home });
    expect(second.local.keys).toEqual(first.local.keys);
    expect(second.local.bridge.password).toBe(first.local.bridge.password);
    expect((await fetch(`${second.local.url}/readyz`)).status).toBe(200);
    expect((await fetch(`${second.local.bridge.url}/healthz`)).status).toBe(200);
  });

  it("leaves nothing running when it is killed, and the next start goes on", async () => {
    const home = freshHome();
    const gavel = await npmStart({ home });
    // npm and the supervisor alone: the others have to notice by themselves.
    process.kill(-(gavel.child.pid ?? 0), "SIGKILL");
    await gavel.ended;
    await expect.poll(() => runningIn(home), { timeout: 5_000 }).toEqual([]);
    const next = await npmStart({ home });
    expect((await fetch(`${next.local.url}/readyz`)).status).toBe(200);
  });

  it("ends a runtime whose gateway and supervisor were killed together", async () => {
    const home = freshHome();
    const gavel = await npmStart({ home });
    const gateway = runningIn(home).find(({ role }) => role === "gateway");
    process.kill(-(gavel.child.pid ?? 0), "SIGKILL");
    process.kill(gateway?.pid ?? 0, "SIGKILL");
    await gavel.ended;
    await expect.poll(() => runningIn(home), { timeout: 5_000 }).toEqual([]);
  });

  it("refuses a home that another start uses, in one sentence", async () => {
    const home = freshHome();
    await npmStart({ home });
    const second = start({ GAVEL_HOME: home });
    expect(second.status).toBe(1);
    expect(second.stderr).toMatch(/^gavel: another npm start is running on .+\n$/);
  });

  it.each(["PORT", "BRIDGE_PORT"])("says in one sentence that its %s is in use", async (variable) => {
    const squatter = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => squatter.once("listening", resolve));
    const { port } = squatter.address() as { readonly port: number };
    const refused = start({ GAVEL_HOME: freshHome(), [variable]: String(port) });
    squatter.close();
    expect(refused.status).toBe(1);
    expect(refused.stderr).toMatch(new RegExp(`^gavel: port ${port} is in use, .+ ${variable}\\.\\n$`));
  });

  it("says in one sentence that no Kafka answers where one is said to be", async () => {
    const [port] = await freePorts(1);
    const refused = start({ GAVEL_HOME: freshHome() }, "--kafka", `127.0.0.1:${port}`);
    expect(refused.status).toBe(1);
    expect(refused.stderr).toMatch(new RegExp(`^gavel: no Kafka answers at 127\\.0\\.0\\.1:${port}: .+\\n$`));
  });

  it("refuses what it does not know, in one sentence", () => {
    const home = freshHome();
    for (const args of [["--kafka", "nonsense"], ["--kafka", "a:1,b"], ["--kafka", "a:0"], ["--unknown"]]) {
      const refused = start({ GAVEL_HOME: home }, ...args);
      expect(refused.status).toBe(1);
      expect(refused.stderr).toMatch(/^gavel: .+\n$/);
    }
    expect(start({ GAVEL_HOME: home, PORT: "eighty" }).stderr).toMatch(/^gavel: PORT is .+\n$/);
  });

  it("explains itself with --help", () => {
    const help = start({ GAVEL_HOME: freshHome() }, "--help");
    expect(help.status).toBe(0);
    for (const word of ["PORT", "BRIDGE_PORT", "GAVEL_HOME", "--kafka"]) expect(help.stdout).toContain(word);
  });
});

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { authorization, ended, spawnBridge, startChild } from "./child.ts";
import { makeDirectory } from "./sqlite-support.ts";

describe("the bridge as a process", () => {
  let directory: Awaited<ReturnType<typeof makeDirectory>>;
  let args: string[];
  beforeEach(async () => {
    directory = await makeDirectory();
    args = [
      "--file",
      join(directory.path, "deep", "log.sqlite"),
      "--topics",
      "bids,items",
      "--partitions",
      "2",
    ];
  });
  afterEach(() => directory.remove());

  test("--help says what it takes", async () => {
    const { code, output } = await ended(spawnBridge(["--help"], {}));
    expect(code).toBe(0);
    for (const name of ["--file", "--topics", "--exit-with-parent", "BRIDGE_PORT", "BRIDGE_PASSWORD"]) {
      expect(output).toContain(name);
    }
  });

  test.each([
    ["an unknown flag", ["--prot", "1"], /--prot/],
    ["no file", [], /--file/],
    [
      "a port that is none",
      ["--file", "x", "--port", "70000"],
      /^port must be a whole number from 0 to 65535/,
    ],
    ["no partitions", ["--file", "x", "--partitions", "0"], /^partitions must be/],
    ["a topic that is none", ["--file", "x", "--topics", "a b"], /^"a b" is not a topic's name/],
  ])("%s is one plain sentence and exit code 1", async (_name, wrong, sentence) => {
    const { code, errors, output } = await ended(spawnBridge(wrong));
    expect({ code, output }).toEqual({ code: 1, output: "" });
    expect(errors).toMatch(sentence);
    expect(errors).not.toContain("    at ");
  });

  test("missing credentials are a plain sentence, and so are unusable ones", async () => {
    expect((await ended(spawnBridge(args, {}))).errors).toBe("Set BRIDGE_USERNAME.\n");
    const { code, errors } = await ended(spawnBridge(args, { BRIDGE_USERNAME: "ü", BRIDGE_PASSWORD: "p" }));
    expect({ code, errors }).toEqual({
      code: 1,
      errors: "The user name and the password must be visible ASCII characters.\n",
    });
  });

  test("a port in use is a plain sentence and exit code 1", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const { code, errors } = await ended(spawnBridge([...args, "--port", `${port}`]));
    expect({ code, errors }).toEqual({ code: 1, errors: `Port ${port} on 127.0.0.1 is in use.\n` });
    server.close();
  });

  test("a log that another bridge has open is a plain sentence and exit code 1", async () => {
    const first = await startChild(args);
    const { code, errors } = await ended(spawnBridge([...args, "--port", "0"]));
    expect(code).toBe(1);
    expect(errors).toMatch(/^The log .* is in use by another process\.\n$/);
    const gone = ended(first.process);
    first.process.kill("SIGTERM");
    expect(await gone).toMatchObject({ code: 0 });
  });

  test("limits come from flags and variables", async () => {
    const bridge = await startChild([...args, "--max-record-bytes", "10"], { BRIDGE_MAX_BATCH: "2" });
    const status = async (...values: string[]) => {
      const body = JSON.stringify(values.map((value) => ({ topic: "bids", value })));
      const answer = await fetch(`${bridge.url}/produce`, {
        method: "POST",
        headers: { authorization },
        body,
      });
      return answer.status;
    };
    expect([await status("1", "2"), await status("1", "2", "3"), await status("12345678901")]).toEqual([
      200, 413, 413,
    ]);
    const gone = ended(bridge.process);
    bridge.process.kill("SIGTERM");
    expect(await gone).toMatchObject({ code: 0 });
  });

  test("the environment stands in for the flags", async () => {
    const [, file = ""] = args;
    const env = { BRIDGE_FILE: file, BRIDGE_TOPICS: "a", BRIDGE_PARTITIONS: "3", BRIDGE_PORT: "70000" };
    const { errors } = await ended(spawnBridge([], { BRIDGE_USERNAME: "u", BRIDGE_PASSWORD: "p", ...env }));
    expect(errors).toContain('not "70000"');
  });

  test.each(["SIGINT", "SIGTERM"] as const)(
    "%s ends it cleanly, in the middle of a waiting fetch",
    async (signal) => {
      const bridge = await startChild(args);
      const body = JSON.stringify({ topic: "bids", partition: 0, offset: 0, timeout: 20_000 });
      const waiting = fetch(`${bridge.url}/fetch`, { method: "POST", headers: { authorization }, body });
      await new Promise((resolve) => setTimeout(resolve, 100));
      const gone = ended(bridge.process);
      bridge.process.kill(signal);
      expect(await (await waiting).json()).toEqual([]);
      expect(await gone).toMatchObject({ code: 0, signal: null });
    },
  );

  test("with --exit-with-parent it does not outlive a parent that is killed with -9", async () => {
    const main = join(import.meta.dirname, "../../bridge/main.ts");
    // The parent holds the other end of the bridge's standard input, and passes on what it prints.
    const script = `
      const { spawn } = require("node:child_process");
      const child = spawn(process.execPath, ${JSON.stringify([main, "--port", "0", "--exit-with-parent", ...args])},
        { stdio: ["pipe", "inherit", "inherit"] });
      console.log("pid " + child.pid + ";");`;
    const env = { ...process.env, BRIDGE_USERNAME: "tester", BRIDGE_PASSWORD: "only-for-tests" };
    const parent = spawn(process.execPath, ["-e", script], { env, stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    for await (const chunk of parent.stdout) {
      output += String(chunk);
      if (output.includes("listens on")) break;
    }
    const pid = Number(/pid (\d+);/.exec(output)?.[1]);
    expect(process.kill(pid, 0)).toBe(true);
    parent.kill("SIGKILL");
    await expect
      .poll(
        () => {
          try {
            return process.kill(pid, 0);
          } catch {
            return false;
          }
        },
        { timeout: 10_000 },
      )
      .toBe(false);
  });
});

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePorts } from "../../../local/kafka/ports.ts";

const root = join(import.meta.dirname, "../../..");
const read = (file: string): string => readFileSync(join(root, file), "utf8");
// A line that ends in a backslash goes on in the next.
const dockerfile = read("bridge/Dockerfile").replaceAll("\\\n", " ");
const image = dockerfile.split(/^FROM /m).at(-1) ?? "";

/** What comes from the repository: source and target. */
const copied = [...image.matchAll(/^COPY (?!--from)(\S+) (\S+)$/gm)].map(
  ([, source = "", target = ""]) => [source, target === "./" ? source : target] as const,
);
const command = (instruction: RegExp): string[] =>
  JSON.parse(instruction.exec(image)?.[1] ?? "[]") as string[];
const [program = "", ...main] = command(/^ENTRYPOINT (.+)$/m);
const [checker = "", ...check] = command(/^HEALTHCHECK .* CMD (.+)$/m);

/** What `npm ci --omit=dev` installs, less what the Dockerfile removes. */
function packages(): string[] {
  const lock = JSON.parse(read("package-lock.json")) as {
    packages: Record<string, { dev?: boolean; devOptional?: boolean; optional?: boolean }>;
  };
  const removed = /rm -rf (.+)$/m.exec(dockerfile)?.[1]?.split(" ") ?? [];
  return (
    Object.entries(lock.packages)
      .filter(([path, { dev, devOptional }]) => path !== "" && !dev && !devOptional)
      // What is for another processor or system is not installed here.
      .filter(([path, { optional }]) => !optional || existsSync(join(root, path)))
      .map(([path]) => path)
      .filter((path) => !removed.some((gone) => path === gone || path.startsWith(`${gone}/`)))
  );
}

/**
 * No container engine can be had where these tests run. What the image would hold is laid out in a
 * directory, by the Dockerfile's own lines, and its own commands are run there.
 */
describe("the bridge's image", () => {
  let directory: string;
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "gavel-image-"));
    for (const path of packages()) {
      mkdirSync(join(directory, dirname(path)), { recursive: true });
      cpSync(join(root, path), join(directory, path), { recursive: true });
    }
    for (const [source, target] of copied) {
      cpSync(join(root, source), join(directory, target), { recursive: true });
    }
  });

  it("holds all that the bridge needs to start, and its health check tells life from death", async () => {
    const [port = 0] = await freePorts(1);
    const environment = {
      PATH: process.env["PATH"],
      BRIDGE_HOST: "127.0.0.1",
      BRIDGE_PORT: String(port),
      BRIDGE_FILE: join(directory, "log.sqlite"),
      BRIDGE_USERNAME: "tester",
      BRIDGE_PASSWORD: "only-for-tests",
    };
    const health = () => spawnSync(checker, check, { env: environment, cwd: directory }).status;
    const bridge = spawn(program, main, {
      env: environment,
      cwd: directory,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [bridge.stdout, bridge.stderr])
      stream.on("data", (text) => (output += String(text)));
    const ended = once(bridge, "exit");
    await Promise.race([expect.poll(() => output, { timeout: 15_000 }).toContain("listens"), ended]);
    expect({ health: health(), output }).toMatchObject({ health: 0 });
    bridge.kill(/^STOPSIGNAL (\w+)$/m.exec(image)?.[1] as NodeJS.Signals);
    expect(await ended).toEqual([0, null]);
    expect(health()).toBe(1);
  });

  it("runs as a user who is not root", () => {
    expect(image).toMatch(/^USER 1000$/m);
  });

  it("is built from what its ignore file lets through, and holds no secret", () => {
    const letThrough = [...read("bridge/Dockerfile.dockerignore").matchAll(/^!(\S+)$/gm)].map(
      ([, path]) => path,
    );
    for (const [source] of copied) expect(letThrough).toContain(source.split("/")[0]);
    expect(dockerfile).not.toMatch(/^(ENV|ARG) .*(PASSWORD|USERNAME|SECRET|KEY)/m);
  });
});

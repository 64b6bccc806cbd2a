import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { LocalFile } from "../../local/home.ts";
import { runSteps, stepsOf } from "./support/document.ts";
import { npmStart } from "./support/home.ts";

const root = join(import.meta.dirname, "..", "..");

/** A clone's folder, as far as `npm run gavel` needs it, with a `.gavel` of its own. */
function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "gavel-operations-"));
  for (const name of ["package.json", "cli", "node_modules"])
    symlinkSync(join(root, name), join(folder, name));
  mkdirSync(join(folder, ".gavel"));
  return folder;
}

/** What is printed, without what differs from one run to the next. */
function comparable(text: string): string {
  return text
    .trim()
    .replaceAll(/\b[0-9a-f]{7,8}(?:-[0-9a-f-]*)?…?/g, "ID")
    .replaceAll(/http:\/\/127\.0\.0\.1:\d+/g, "URL")
    .replaceAll(/(?:in )?\d+ (?:ms|s|min|h)(?: ago)?\b/g, "WHEN")
    .replaceAll(/ {2,}/g, "  ");
}

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** One command, run as an operator runs it. */
function gavel(folder: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const { status, stderr, stdout } = spawnSync("npm", ["run", "--silent", "gavel", "--", ...args], {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, GAVEL_HOME: "", GAVEL_URL: "", GAVEL_KEY: "", ...environment },
    timeout: 60_000,
  });
  return { status, stderr, stdout };
}

describe("the operations' document", () => {
  it("works when it is pasted, step by step, and prints what is printed there", async () => {
    const folder = newFolder();
    folders.push(folder);
    await npmStart({ home: join(folder, ".gavel") });
    const steps = stepsOf("docs/operations.md", "By hand");
    expect(steps.filter(({ text }) => text !== undefined)).toHaveLength(8);
    // Whatever fails on its way: the shop of the document must not outlive the test.
    const first = { command: "exec 2>&1; trap 'kill $SHOP 2> /dev/null' EXIT" };
    const { answers } = runSteps([first, ...steps], folder);
    for (const [index, { command, text }] of steps.entries()) {
      if (text === undefined) continue;
      const printed = comparable(answers[index + 1] ?? "");
      expect({ command, printed }).toEqual({ command, printed: comparable(text) });
    }
  });
});

describe("npm run gavel", () => {
  it("finds npm start's gateway and key, and is understood by programs", async () => {
    const folder = newFolder();
    folders.push(folder);
    const { local } = await npmStart({ home: join(folder, ".gavel") });
    const groups = gavel(folder, ["groups", "--json"]);
    expect(groups).toMatchObject({ status: 0, stderr: "" });
    expect(JSON.parse(groups.stdout)).toMatchObject({
      groups: [{ group: "auction" }, { group: "notify" }, {}, {}, {}, {}],
    });
    const lag = gavel(folder, ["lag", "--json"]);
    expect(JSON.parse(lag.stdout)).toHaveLength(6);
    for (const line of gavel(folder, ["lag"]).stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
    expect(gavel(folder, ["pause", "notify", "--all"])).toMatchObject({ status: 0, stderr: "" });
    expect(gavel(folder, ["lag", "notify"]).stdout).toContain("paused");
    expect(gavel(folder, ["resume", "notify", "--all"]).stdout.trim().split("\n")).toHaveLength(8);
    checkRefusals(folder, local);
    checkDoctor(folder, local);
  });

  function checkRefusals(folder: string, { keys, url }: LocalFile): void {
    const refused: readonly (readonly [number, string[], Record<string, string>?])[] = [
      [1, ["lag", "nobody"]],
      [1, ["seek", "notify", "0", "7", "--skip"]],
      [1, ["seek", "auction", "0", "0"]],
      [1, ["retry", "notify", "0", "with/slash and %"]],
      [1, ["subscriptions", "show", "x"]],
      [1, ["lag"], { GAVEL_URL: "http://127.0.0.1:9", GAVEL_KEY: keys.operator }],
      [1, ["lag"], { GAVEL_KEY: keys.client }],
      [1, ["lag"], { GAVEL_KEY: `${keys.operator}x` }],
      [2, ["lag"], { GAVEL_URL: url }],
      [2, ["seek", "notify", "0", "x"]],
      [2, ["redrive", "notify"]],
      [2, ["nope"]],
    ];
    for (const [status, args, environment] of refused) {
      const said = gavel(folder, args, environment);
      expect(said, args.join(" ")).toMatchObject({ status, stdout: "" });
      expect(said.stderr).toMatch(/^gavel: [^\n]+\n$/);
      for (const key of Object.values(keys)) expect(said.stderr).not.toContain(key);
    }
  }

  function checkDoctor(folder: string, { keys }: LocalFile): void {
    const well = gavel(folder, ["doctor", "--json"]);
    expect(well).toMatchObject({ status: 0, stderr: "" });
    expect(JSON.parse(well.stdout)).toMatchObject({ wrong: 0 });
    // A key of another kind is told what it lacks, and how to make one that has it.
    const client = gavel(folder, ["doctor"], { GAVEL_KEY: keys.client });
    expect(client.status).toBe(1);
    expect(client.stdout).toContain("lacks the scope operate");
    expect(client.stdout).toContain("npm run api-key");
    const unknown = gavel(folder, ["doctor"], { GAVEL_KEY: "gvl_nobody_0" });
    expect(unknown.status).toBe(1);
    expect(unknown.stdout).toContain("does not know it");
    const nobody = gavel(folder, ["doctor"], { GAVEL_URL: "http://127.0.0.1:9", GAVEL_KEY: keys.operator });
    expect(nobody).toMatchObject({ status: 1, stderr: "" });
    expect(nobody.stdout).toContain("does not answer");
  }
});

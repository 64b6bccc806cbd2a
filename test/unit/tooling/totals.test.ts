import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";

const root = join(import.meta.dirname, "../../..");

/** A project of its own, whose runs end as Gavel's do. */
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "gavel-totals-"));
  symlinkSync(join(root, "node_modules"), join(directory, "node_modules"));
  const reporter = pathToFileURL(join(root, "scripts/totals-reporter.ts")).href;
  write(
    "vitest.config.mjs",
    `import { TotalsReporter } from "${reporter}";
     export default { test: { include: ["*.test.mjs"], reporters: ["default", new TotalsReporter()] } };`,
  );
  write("good.test.mjs", `${imports} test("one", () => {}); test("two", () => {});`);
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

const imports = 'import { beforeAll, describe, test } from "vitest";';

function write(file: string, text: string): void {
  writeFileSync(join(directory, file), text);
}

function run(...args: string[]): { status: number | null; lastLine: string | undefined; output: string } {
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  const { status, stdout, stderr } = spawnSync(process.execPath, [vitest, "run", ...args], {
    cwd: directory,
    encoding: "utf8",
    // The run inside is one of its own: it must not take itself for a worker of this one.
    env: { PATH: process.env["PATH"], NO_COLOR: "1" },
  });
  return { status, lastLine: stdout.trimEnd().split("\n").at(-1), output: stdout + stderr };
}

test("a run that passes ends with its total and code 0", () => {
  expect(run()).toMatchObject({ lastLine: "2 passed, 0 failed", status: 0 });
});

const failures = [
  ["a failed test", 'test("bad", () => { throw new Error("no\\nmore"); });', 2, "more.test.mjs > bad: no"],
  ["a skipped test", 'test.skip("left out", () => {});', 2, "more.test.mjs > left out: skipped"],
  ["a test to be written", 'test.todo("some day");', 2, "more.test.mjs > some day: skipped"],
  ["a file that cannot be loaded", 'import "./missing.mjs";', 2, "more.test.mjs: "],
  ["a file without tests", "", 2, "more.test.mjs: No test suite found"],
  [
    "an error outside of any test",
    'test("three", () => { setTimeout(() => { throw new Error("late"); }); });',
    3,
    "outside of any test: late",
  ],
] as const;

test.each(failures)("%s counts as failed and is named, with code 1", (_name, text, passed, failure) => {
  write("more.test.mjs", `${imports} ${text}`);
  const { output, ...rest } = run();
  expect(rest).toMatchObject({ lastLine: `${passed} passed, 1 failed`, status: 1 });
  expect(output.split("\n").filter((line) => line.startsWith("failed: "))).toEqual([
    expect.stringContaining(failure),
  ]);
});

test("a set-up that fails counts, and so do the tests that it kept from running", () => {
  const suite =
    'describe("suite", () => { beforeAll(() => { throw new Error("no"); }); test("kept", () => {}); });';
  write("more.test.mjs", `${imports} ${suite}`);
  const { status, lastLine, output } = run();
  expect(lastLine).toBe("2 passed, 2 failed");
  expect(output).toMatch(/^failed: .*more\.test\.mjs > suite: no$/m);
  expect(output).toMatch(/^failed: .*more\.test\.mjs > suite > kept: skipped$/m);
  expect(status).toBe(1);
});

test("tests that were not asked for are no failures", () => {
  expect(run("-t", "one")).toMatchObject({ lastLine: "1 passed, 0 failed", status: 0 });
});

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

const script = join(import.meta.dirname, "../../../scripts/ci.ts");

/** Holds programs that stand in for npm, Java and Python: what is tested is what the script makes of them. */
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "gavel-ci-"));
  program("java", `echo 'openjdk version "17.0.1"' >&2`);
  program("python3", "echo 3 11");
  // As if the broker had been fetched.
  mkdirSync(join(directory, "gavel", "kafka-4.4.0", "libs"), { recursive: true });
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function program(name: string, text: string): void {
  writeFileSync(join(directory, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
}

/** What each `npm run` prints, and whether it fails. */
type Runs = Readonly<Record<"check" | "test" | "test:contract" | "test:kafka", string>>;
const good: Runs = {
  check: "echo 7 checks hold",
  test: "echo some output; echo '12 passed, 0 failed'",
  "test:contract": "echo '3 passed, 0 failed'",
  "test:kafka": "echo '5 passed, 0 failed'",
};

function run(runs: Runs, environment: Readonly<Record<string, string>> = {}) {
  const cases = Object.entries(runs).map(([name, text]) => `"run ${name}") ${text} ;;`);
  program("npm", `case "$*" in ${cases.join(" ")} *) exit 99 ;; esac`);
  const { status, stdout } = spawnSync(process.execPath, [script], {
    encoding: "utf8",
    env: { PATH: `${directory}:/usr/bin:/bin`, XDG_CACHE_HOME: directory, ...environment },
  });
  return { status, stdout, lastLine: stdout.trimEnd().split("\n").at(-1) };
}

test("the last line is the total over all runs, and what they print is shown", () => {
  const { stdout, ...rest } = run(good);
  expect(rest).toEqual({ status: 0, lastLine: "20 passed, 0 failed" });
  expect(stdout).toContain(
    "7 checks hold\nsome output\n12 passed, 0 failed\n3 passed, 0 failed\n5 passed, 0 failed\n",
  );
});

test.each([
  ["a broken check", { check: "exit 1" }, "20 passed, 1 failed"],
  ["failed tests", { test: "echo '10 passed, 2 failed'; exit 1" }, "18 passed, 2 failed"],
  ["a run that ends before its totals", { test: "exit 1" }, "8 passed, 1 failed"],
  ["a run that ends well without totals", { test: "true" }, "8 passed, 1 failed"],
  [
    "a run that fails though no test of it did",
    { test: "echo '12 passed, 0 failed'; exit 1" },
    "20 passed, 1 failed",
  ],
  ["failed tests on Kafka", { "test:kafka": "echo '4 passed, 1 failed'; exit 1" }, "19 passed, 1 failed"],
  ["a broker that does not start", { "test:kafka": "exit 1" }, "15 passed, 1 failed"],
])("%s is a failure, and the rest is run all the same", (_, change, lastLine) => {
  expect(run({ ...good, ...change })).toMatchObject({ status: 1, lastLine });
});

test("what failed is named again before the total, since it is far up in a long output", () => {
  const failing = {
    check: "echo 'broken: npm run lint'; exit 1",
    test: `echo 'failed: unit > a.test.ts > adds: expected 3'; echo '11 passed, 1 failed'; exit 1`,
    "test:kafka": "exit 1",
  };
  const { stdout, lastLine } = run({ ...good, ...failing });
  expect(stdout.trimEnd().split("\n").slice(-4)).toEqual([
    "failed: npm run lint",
    "failed: unit > a.test.ts > adds: expected 3",
    "failed: npm run test:kafka ended with code 1 and named no test",
    lastLine,
  ]);
  expect(lastLine).toBe("14 passed, 3 failed");
});

const withoutJava = { JAVA_HOME: "/nowhere" };

test("without Java one line says that the tests on Kafka were skipped", () => {
  const { status, stdout, lastLine } = run(good, withoutJava);
  expect({ status, lastLine }).toEqual({ status: 0, lastLine: "15 passed, 0 failed" });
  expect(stdout).toMatch(/^npm run test:kafka was skipped: a Kafka broker needs Java 17 or newer, .+\.$/m);
});

test("in CI their absence is a failure", () => {
  const { status, stdout, lastLine } = run(good, { ...withoutJava, CI: "true" });
  expect({ status, lastLine }).toEqual({ status: 1, lastLine: "15 passed, 1 failed" });
  expect(stdout).toMatch(
    /^failed: npm run test:kafka could not be run, as it has to be in CI: a Kafka broker needs /m,
  );
});

test("an older Java, or no Maven to fetch the broker with, counts as absence", () => {
  program("java", `echo 'openjdk version "11.0.2"' >&2`);
  expect(run(good).stdout).toMatch(
    /skipped: a Kafka broker needs Java 17 or newer, and java is 11\.0\.2\.$/m,
  );
  program("java", `echo 'openjdk version "21"' >&2`);
  program("mvn", "exit 1");
  const { stdout } = run(good, { XDG_CACHE_HOME: join(directory, "empty") });
  expect(stdout).toMatch(/skipped: Apache Kafka is fetched .+ by Maven, and no mvn is on the path\.$/m);
});

test("without Python the tests of the contract are skipped, and in CI that is a failure", () => {
  program("python3", "exit 1");
  const skipped = run(good);
  expect(skipped).toMatchObject({ status: 0, lastLine: "17 passed, 0 failed" });
  expect(skipped.stdout).toMatch(
    /^npm run test:contract was skipped: they need Python 3\.10 or newer, .+\.$/m,
  );
  const broken = run(good, { CI: "true" });
  expect(broken).toMatchObject({ status: 1, lastLine: "17 passed, 1 failed" });
  expect(broken.stdout).toMatch(/^failed: npm run test:contract could not be run, .+ Python 3\.10 or newer/m);
  program("python3", "echo 3 9");
  expect(run(good).stdout).toMatch(/skipped: they need Python 3\.10 or newer, and python3 is 3\.9\.$/m);
});

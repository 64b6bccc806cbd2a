/**
 * What CI runs once the packages are installed: every check once, every test once, each whether or
 * not an earlier one failed. It ends with a line for each that failed, and with the total over all,
 * `N passed, N failed`.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { stripVTControlCharacters } from "node:util";
import { kafkaProblem } from "../local/kafka/requirements.ts";
import { pythonProblem } from "../test/support/python.ts";
import { FAILED } from "./totals-reporter.ts";

interface Totals {
  readonly passed: number;
  readonly failed: number;
  /** A line for each that failed, where the run names them. */
  readonly failures: readonly string[];
}

const nothing: Totals = { passed: 0, failed: 0, failures: [] };
/** What is broken beside the tests counts as one failed test. */
const broken = (why: string): Totals => ({ passed: 0, failed: 1, failures: [why] });

const totals = [
  await check(),
  await tests("test"),
  await testsThatNeed("test:contract", pythonProblem()),
  await testsThatNeed("test:kafka", kafkaProblem(process.env)),
];
const passed = totals.reduce((sum, each) => sum + each.passed, 0);
const failed = totals.reduce((sum, each) => sum + each.failed, 0);
for (const line of totals.flatMap((each) => each.failures)) process.stdout.write(`${FAILED}${line}\n`);
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;

async function check(): Promise<Totals> {
  const { code, output } = await npm("check");
  const named = /^broken: (.*)$/m.exec(output)?.[1];
  return code === 0 ? nothing : broken(named ?? `npm run check ended with code ${code}`);
}

/**
 * Tests that need more than the packages, where that is there: CI is to have it.
 * @param problem why they cannot be run, as a sentence; null where they can
 */
async function testsThatNeed(script: string, problem: string | null): Promise<Totals> {
  if (problem === null) return tests(script);
  if (process.env["CI"] !== "true") {
    process.stdout.write(`npm run ${script} was skipped: ${problem}\n`);
    return nothing;
  }
  return broken(`npm run ${script} could not be run, as it has to be in CI: ${problem}`);
}

/** What a run says of itself. One that failed without naming a failed test has failed all the same. */
async function tests(script: string): Promise<Totals> {
  const { code, output } = await npm(script);
  const lines = stripVTControlCharacters(output).split("\n");
  const last = lines.findLast((line) => /^\d+ passed, \d+ failed$/.test(line));
  const counts = (last?.match(/\d+/g) ?? []).map(Number);
  const told = { passed: counts[0] ?? 0, failed: counts[1] ?? 0 };
  if (told.failed === 0 && (code !== 0 || last === undefined))
    return { ...broken(`npm run ${script} ended with code ${code} and named no test`), passed: told.passed };
  const named = lines.filter((line) => line.startsWith(FAILED));
  return { ...told, failures: named.map((line) => line.slice(FAILED.length)) };
}

/** Runs a script of package.json; what it prints is shown as it comes, and kept. */
async function npm(script: string): Promise<{ code: number | null; output: string }> {
  const child = spawn("npm", ["run", script], { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    process.stdout.write(text);
    output += text;
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, output };
}

/**
 * What CI runs once the packages are installed: every check once, every test once, each whether or
 * not an earlier one failed. The last line is the total over all, `N passed, N failed`.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { kafkaProblem } from "../local/kafka/requirements.ts";
import { pythonProblem } from "../test/support/python.ts";

interface Totals {
  readonly passed: number;
  readonly failed: number;
}

const nothing: Totals = { passed: 0, failed: 0 };
/** What is broken beside the tests counts as one failed test. */
const broken: Totals = { passed: 0, failed: 1 };

const totals = [
  await check(),
  await tests("test"),
  await testsThatNeed("test:contract", pythonProblem()),
  await testsThatNeed("test:kafka", kafkaProblem(process.env)),
];
const passed = totals.reduce((sum, each) => sum + each.passed, 0);
const failed = totals.reduce((sum, each) => sum + each.failed, 0);
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;

async function check(): Promise<Totals> {
  const { code } = await npm("check");
  return code === 0 ? nothing : broken;
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
  process.stdout.write(`npm run ${script} could not be run, as it has to be in CI: ${problem}\n`);
  return broken;
}

/** What a run says of itself. One that failed without naming a failed test has failed all the same. */
async function tests(script: string): Promise<Totals> {
  const { code, output } = await npm(script);
  const last = [...output.matchAll(/^(\d+) passed, (\d+) failed$/gm)].at(-1);
  const told = last === undefined ? nothing : { passed: Number(last[1]), failed: Number(last[2]) };
  const silent = told.failed === 0 && (code !== 0 || last === undefined);
  return silent ? { ...told, failed: 1 } : told;
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

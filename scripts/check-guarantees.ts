/**
 * Holds docs/guarantees.md and docs/cloudevents.md against the tests that exist: `npm run guarantees`.
 *
 * Each guarantee is a section `## N. …`; its tests are list items, "- `project` name of the test",
 * by the exact name that vitest lists. A guarantee without tests is broken, and so is a test that
 * was renamed or removed while the document still leans on it. A specification's requirements name
 * theirs in the same way.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { kafkaProblem } from "../local/kafka/requirements.ts";
import {
  type Guarantee,
  parseGuarantees,
  parseRequirements,
  problemsOf,
  problemsOfRequirements,
  type Requirement,
} from "./guarantees.ts";

const listing = z.array(z.object({ name: z.string(), projectName: z.string() }));

/** Tests on a real broker can only be listed where one can be run. */
const withoutKafka = kafkaProblem(process.env);
if (withoutKafka !== null)
  process.stdout.write(`tests of the project kafka are taken as said: ${withoutKafka}\n`);

const guarantees = parseGuarantees(readFileSync("docs/guarantees.md", "utf8"));
const requirements = parseRequirements(readFileSync("docs/cloudevents.md", "utf8"));
const existing = existingTests();
const problems = [
  ...problemsOf(guarantees, existing),
  ...problemsOfRequirements(requirements, existing).map((problem) => `docs/cloudevents.md names ${problem}`),
];
for (const problem of problems) process.stdout.write(`${problem}\n`);
process.stdout.write(`${summary(guarantees, requirements)}, ${problems.length} problems\n`);
process.exitCode = problems.length === 0 ? 0 : 1;

/** "project name" of every test. The files are run up to their tests: some name them by parameters. */
function existingTests(): Set<string> {
  const directory = mkdtempSync(join(tmpdir(), "gavel-tests-"));
  try {
    const file = join(directory, "tests.json");
    const listed = ["list", "--no-static-parse", `--json=${file}`];
    const args = withoutKafka === null ? listed : [...listed, "--project", "!kafka"];
    const { status, stdout, stderr } = spawnSync("vitest", args, { encoding: "utf8" });
    if (status !== 0) throw new Error(`the tests cannot be listed:\n${stdout}${stderr}`);
    const tests = listing.parse(JSON.parse(readFileSync(file, "utf8")));
    return new Set([...tests.map(({ projectName, name }) => `${projectName} ${name}`), ...takenAsSaid()]);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function takenAsSaid(): string[] {
  if (withoutKafka === null) return [];
  return guarantees.flatMap(({ tests }) => tests).filter((test) => test.startsWith("kafka "));
}

function summary(given: readonly Guarantee[], demanded: readonly Requirement[]): string {
  const tests = [...given, ...demanded].reduce((sum, one) => sum + one.tests.length, 0);
  return `${given.length} guarantees and ${demanded.length} requirements of CloudEvents, held by ${tests} tests`;
}

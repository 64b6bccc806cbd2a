import { expect, test } from "vitest";
import {
  parseGuarantees,
  parseRequirements,
  problemsOf,
  problemsOfRequirements,
} from "../../../scripts/guarantees.ts";

/** A document of twelve guarantees, each held by one test. */
const document = Array.from(
  { length: 12 },
  (_, index) => `## ${index + 1}. Guarantee ${index + 1}\n\nWhy.\n\n- \`unit\` suite > test ${index + 1}\n`,
).join("\n");

const existing = new Set(Array.from({ length: 12 }, (_, index) => `unit suite > test ${index + 1}`));

test("twelve guarantees with existing tests are in order", () => {
  expect(
    problemsOf(parseGuarantees(`# Guarantees\n\n- \`unit\` not in a section\n\n${document}`), existing),
  ).toEqual([]);
});

test("a guarantee without a test is told", () => {
  const broken = document.replace("- `unit` suite > test 4\n", "");
  expect(problemsOf(parseGuarantees(broken), existing)).toEqual(["guarantee 4 has no test"]);
});

test("a guarantee whose test was renamed is told", () => {
  const broken = document.replace("test 12", "test twelve");
  expect(problemsOf(parseGuarantees(broken), existing)).toEqual([
    "guarantee 12 names a test that does not exist: unit suite > test twelve",
  ]);
});

test("a test of another project does not count", () => {
  const broken = document.replace("- `unit` suite > test 1\n", "- `worker` suite > test 1\n");
  expect(problemsOf(parseGuarantees(broken), existing)).toEqual([
    "guarantee 1 names a test that does not exist: worker suite > test 1",
  ]);
});

test("a guarantee that left the document is told", () => {
  const broken = document.replace(/## 7\.[^#]*/, "");
  expect(problemsOf(parseGuarantees(broken), existing)).toEqual(["guarantee 7 is not in the document"]);
});

const requirements = [
  "- **MUST** hold, over",
  "  two lines",
  "  - `unit` suite > test 1",
  "  - Where it is said, over",
  "    two lines",
  "- **SHOULD NOT** hold either",
  "  - Not Gavel's to hold",
  "- any other item",
].join("\n");

test("a requirement has tests that exist, or a reason to have none", () => {
  const parsed = parseRequirements(requirements);
  expect(parsed.map(({ tests, reasons }) => [tests.length, reasons.length])).toEqual([
    [1, 1],
    [0, 1],
  ]);
  expect(problemsOfRequirements(parsed, existing)).toEqual([]);
});

test("a requirement whose test was renamed, or that has neither, is told", () => {
  const renamed = parseRequirements(requirements.replace("test 1", "test one"));
  expect(problemsOfRequirements(renamed, existing)).toEqual([
    "a test that does not exist: unit suite > test one",
  ]);
  const bare = parseRequirements("- **MUST** hold\n- **MUST** hold as well\n  - Why");
  expect(problemsOfRequirements(bare, existing)).toEqual(["neither a test nor a reason: **MUST** hold"]);
  expect(problemsOfRequirements([], existing)).toEqual(["no requirement is in the document"]);
});

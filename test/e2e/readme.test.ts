import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { comparable, runSteps, stepsOf } from "./support/document.ts";
import { npmStart } from "./support/home.ts";

/** What differs from one run to the next: made ids, times and places in the log. */
const changing = new Set(
  "id itemId bidId timestamp partition offset position startsAt endsAt closesAt closedAt asOf".split(" "),
);

describe("the README's first auction", () => {
  // Beside `.gavel`, as in a fresh clone after `npm start`.
  const folder = mkdtempSync(join(tmpdir(), "gavel-readme-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("works when it is pasted, step by step, and answers what is printed there", async () => {
    const home = join(folder, ".gavel");
    mkdirSync(home);
    await npmStart({ home });
    const steps = stepsOf("README.md", "A first auction");
    expect(steps.filter(({ answer }) => answer !== undefined).length).toBeGreaterThanOrEqual(5);
    const { answers, stderr } = runSteps(steps, folder);
    expect(stderr).toBe("");
    for (const [index, { command, answer }] of steps.entries()) {
      if (answer === undefined) continue;
      const answered = comparable(JSON.parse(answers[index] ?? ""), changing);
      expect({ command, answer: answered }).toEqual({ command, answer: comparable(answer, changing) });
    }
  });
});

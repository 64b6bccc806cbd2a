import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { comparable, runSteps, stepsOf } from "./support/document.ts";
import { npmStart } from "./support/home.ts";

/** What differs from one run to the next. */
const changing = new Set(["asOf", "start", "bytes"]);

describe("the replays' document", () => {
  const folder = mkdtempSync(join(tmpdir(), "gavel-replays-"));
  const home = join(folder, ".gavel");
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("works when it is pasted, step by step, and answers what is printed there", async () => {
    mkdirSync(home);
    await npmStart({ home });
    const steps = stepsOf("docs/replays.md", "By hand");
    expect(steps.filter(({ answer }) => answer !== undefined)).toHaveLength(5);
    const { answers, stderr } = runSteps(steps, folder);
    expect(stderr).toBe("");
    for (const [index, { command, answer }] of steps.entries()) {
      if (answer === undefined) continue;
      const answered = comparable(JSON.parse(answers[index] ?? ""), changing);
      expect({ command, answer: answered }).toEqual({ command, answer: comparable(answer, changing) });
    }
  });
});

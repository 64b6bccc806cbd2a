import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { npmStart } from "./support/home.ts";

const readme = readFileSync(join(import.meta.dirname, "..", "..", "README.md"), "utf8");

interface Step {
  readonly command: string;
  /** What the README says is answered; absent where it says nothing. */
  readonly answer?: unknown;
}

/** The section's commands in their order, each with the answer that is printed under it. */
function stepsOf(heading: string): Step[] {
  const section = readme.split(/^## /m).find((text) => text.startsWith(heading)) ?? "";
  const blocks = [...section.matchAll(/^```(sh|json)\n([^]*?)^```$/gm)];
  return blocks.flatMap(([, language, text = ""], index) => {
    if (language !== "sh") return [];
    const next = blocks[index + 1];
    return [
      { command: text, ...(next?.[1] === "json" ? { answer: JSON.parse(next[2] ?? "") as unknown } : {}) },
    ];
  });
}

/** What differs from one run to the next: made ids, times and places in the log. */
const changing = new Set(
  [
    "id itemId bidId timestamp partition offset position startsAt endsAt closesAt closedAt asOf".split(" "),
  ].flat(),
);

/** A value as its type where it changes from run to run, and as it is elsewhere. */
function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [
      key,
      changing.has(key) ? typeof member : comparable(member),
    ]),
  );
}

describe("the README's first auction", () => {
  // Beside `.gavel`, as in a fresh clone after `npm start`.
  const folder = mkdtempSync(join(tmpdir(), "gavel-readme-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("works when it is pasted, step by step, and answers what is printed there", async () => {
    const home = join(folder, ".gavel");
    mkdirSync(home);
    await npmStart({ home });
    const steps = stepsOf("A first auction");
    expect(steps.filter(({ answer }) => answer !== undefined).length).toBeGreaterThanOrEqual(5);

    const mark = "=== step ===";
    const script = steps.map(({ command }) => `${command}\necho\necho '${mark}'\n`).join("");
    // As in a terminal: one shell, whose variables last from block to block.
    const { stdout, stderr } = spawnSync("bash", ["-s"], {
      cwd: folder,
      input: script,
      encoding: "utf8",
      timeout: 120_000,
    });
    expect(stderr).toBe("");
    const answers = stdout.split(mark);
    for (const [index, { command, answer }] of steps.entries()) {
      if (answer === undefined) continue;
      const answered = JSON.parse(answers[index] ?? "") as unknown;
      expect({ command, answer: comparable(answered) }).toEqual({ command, answer: comparable(answer) });
    }
  });
});

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface Step {
  readonly command: string;
  /** What the document says is answered; absent where it says nothing. */
  readonly answer?: unknown;
  /** The same of what is printed as text. */
  readonly text?: string;
}

/** A section's commands in their order, each with the answer that is printed under it. */
export function stepsOf(path: string, heading: string): Step[] {
  const text = readFileSync(join(import.meta.dirname, "..", "..", "..", path), "utf8");
  const section = text.split(/^## /m).find((part) => part.startsWith(heading)) ?? "";
  const blocks = [...section.matchAll(/^```(sh|json|text)\n([^]*?)^```$/gm)];
  return blocks.flatMap(([, language, content = ""], index) => {
    if (language !== "sh") return [];
    const next = blocks[index + 1];
    const answer = next?.[1] === "json" ? { answer: JSON.parse(next[2] ?? "") as unknown } : {};
    const printed = next?.[1] === "text" ? { text: next[2] ?? "" } : {};
    return [{ command: content, ...answer, ...printed }];
  });
}

/** What each step printed, as text; the steps run as in a terminal, in one shell, whose variables last. */
export function runSteps(steps: readonly Step[], folder: string): { answers: string[]; stderr: string } {
  const mark = "=== step ===";
  const script = steps.map(({ command }) => `${command}\necho\necho '${mark}'\n`).join("");
  const { stdout, stderr } = spawnSync("bash", ["-s"], {
    cwd: folder,
    input: script,
    encoding: "utf8",
    timeout: 120_000,
  });
  return { answers: stdout.split(mark), stderr };
}

/** A value as its type where it changes from run to run, and as it is elsewhere. */
export function comparable(value: unknown, changing: ReadonlySet<string>): unknown {
  if (Array.isArray(value)) return value.map((entry) => comparable(entry, changing));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [
      key,
      changing.has(key) ? typeof member : comparable(member, changing),
    ]),
  );
}

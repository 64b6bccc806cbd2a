import { printable } from "../table.ts";
import type { Finding } from "./finding.ts";

const levelWidth = 7;
const narrowestText = 30;

/** Findings for people: what, and under it what to do, in lines of at most `width` characters. */
export function report(findings: readonly Finding[], width: number): string {
  const aboutWidth = Math.max(...findings.map(({ about }) => about.length)) + 2;
  const room = Math.max(narrowestText, width - levelWidth - aboutWidth);
  const indent = " ".repeat(levelWidth + aboutWidth);
  const lines = findings.flatMap(({ about, advice, found, level }) => {
    const [first = "", ...rest] = wrapped(printable(found), room);
    const told = advice === undefined ? [] : wrapped(`→ ${printable(advice)}`, room);
    return [
      level.padEnd(levelWidth) + about.padEnd(aboutWidth) + first,
      ...[...rest, ...told].map((line) => indent + line),
    ];
  });
  const wrong = findings.filter(({ level }) => level === "wrong").length;
  const sum =
    wrong === 0 ? "Nothing is wrong." : `${wrong} ${wrong === 1 ? "thing is" : "things are"} wrong.`;
  return `${lines.join("\n")}\n\n${sum}\n`;
}

/** Breaks at spaces; a word that is longer than a line stays whole. */
function wrapped(text: string, room: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (longer.length > room && line !== "") {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line];
}

import { type Option, type OptionName, sections, variableOf } from "./table.ts";

const WIDTH = 100;
const INDENT = 30;

/** The text of `--help`. */
export const help = `Usage: node bridge/main.ts --file <path> | --kafka <host:port,…> [options]

Speaks Upstash's REST protocol for Kafka over a Kafka cluster, or over an embedded log in one
SQLite file. Each option may be given as the variable behind it instead; a switch as true or false.
${Object.entries(sections).map(sectionText).join("")}
Secrets come from the environment or from files, where no list of processes shows them. With _FILE
behind its name, each of these variables names a file that holds the value:

  BRIDGE_USERNAME, BRIDGE_PASSWORD            one pair of credentials with every right
  BRIDGE_USERS                                several, in place of the pair: see below
  BRIDGE_SASL_USERNAME, BRIDGE_SASL_PASSWORD  with PLAIN and SCRAM

Credentials with rights, in BRIDGE_USERS or in the file of --users-file. Verbs are produce, fetch
and consume; a topic is a name, or the beginning of names and a "*":

  [{"username": "gateway", "passwordSha256": "<64 hexadecimal digits>",
    "rights": [{"verbs": ["produce", "fetch"], "topics": ["auction.*"]}]}]
`;

function sectionText([heading, section]: [string, Readonly<Record<string, Option>>]): string {
  const lines = Object.entries(section).map(([name, option]) => optionText(name as OptionName, option));
  return `\n${heading === "" ? "" : `${heading}\n`}${lines.join("")}`;
}

function optionText(name: OptionName, { value, fallback, about }: Option): string {
  const flag = `  --${name}${value === undefined ? "" : ` ${value}`}`;
  const initial = fallback === undefined || fallback === "" ? "" : `, default ${fallback}`;
  const text = name === "help" ? about : `${about} (${variableOf(name)}${initial})`;
  const lines = wrap(text, WIDTH - INDENT);
  const first = flag.length < INDENT ? flag.padEnd(INDENT) + (lines.shift() ?? "") : flag;
  return `${[first, ...lines.map((line) => " ".repeat(INDENT) + line)].join("\n")}\n`;
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line += line === "" ? word : ` ${word}`;
    }
  }
  return [...lines, line];
}

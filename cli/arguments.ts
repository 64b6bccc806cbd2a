import { parseArgs } from "node:util";
import type { Command, Options } from "./command.ts";
import { commands } from "./commands.ts";
import { UsageError } from "./failure.ts";
import type { TargetFlags } from "./target.ts";

/** What a command line asks for. */
export type Asked =
  | { readonly kind: "help"; readonly command: Command | undefined }
  | {
      readonly kind: "run";
      readonly command: Command;
      readonly target: TargetFlags;
      readonly isJson: boolean;
      readonly parameters: readonly string[];
      readonly values: Readonly<Record<string, unknown>>;
    };

/** What every command has. */
const common = {
  url: { type: "string" },
  key: { type: "string" },
  json: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} satisfies Options;

/** @throws {UsageError} */
export function readArguments(args: readonly string[]): Asked {
  const [name, ...rest] = args;
  if (name === undefined || name === "help" || name === "--help" || name === "-h")
    return { kind: "help", command: rest[0] === undefined ? undefined : commandNamed(rest[0]) };
  const command = commandNamed(name);
  const { values, positionals } = parse(command, rest);
  const { url, key, json, help } = values;
  if (help === true) return { kind: "help", command };
  if (positionals.length < command.least) throw new UsageError(`${command.name} takes ${command.parameters}`);
  if (positionals.length > command.most)
    throw new UsageError(`${command.name} takes ${command.parameters || "no parameters"}, and no more`);
  const target = { url: textOf(url), key: textOf(key) };
  return { kind: "run", command, target, isJson: json === true, parameters: positionals, values };
}

function commandNamed(name: string): Command {
  const command = commands.find((one) => one.name === name);
  if (command === undefined) throw new UsageError("There is no such command");
  return command;
}

function parse(command: Command, args: readonly string[]) {
  try {
    const options: Options = { ...common, ...command.options };
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    // Node's own sentence; its first line says what is wrong.
    throw new UsageError(error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error));
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

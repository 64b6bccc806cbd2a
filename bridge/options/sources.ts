import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { Secret } from "../secret.ts";
import { type Option, type OptionName, options, variableOf } from "./table.ts";

/** Variables that hold secrets, which no flag can give. */
type SecretVariable =
  | "BRIDGE_USERNAME"
  | "BRIDGE_PASSWORD"
  | "BRIDGE_USERS"
  | "BRIDGE_SASL_USERNAME"
  | "BRIDGE_SASL_PASSWORD";

/**
 * Where settings come from: a flag before the environment before the default. An empty variable
 * counts as none, as it does where a deployment cannot leave one out. Each reader throws an Error
 * with a plain sentence; none quotes a secret.
 */
export class Sources {
  readonly #flags: Readonly<Record<string, unknown>>;
  readonly #env: NodeJS.ProcessEnv;

  constructor(args: string[], env: NodeJS.ProcessEnv) {
    this.#flags = parseFlags(args);
    this.#env = env;
  }

  /** Whether it is given, by a flag or, unless only flags count, by a variable. */
  given(name: OptionName, by: "flag" | "either" = "either"): boolean {
    if (this.#flags[name] !== undefined) return true;
    return by === "either" && this.#variable(variableOf(name)) !== undefined;
  }

  text(name: OptionName): string | undefined {
    const flag = this.#flags[name];
    if (typeof flag === "string") return flag;
    return this.#variable(variableOf(name)) ?? (options[name] as Option).fallback;
  }

  integer(name: OptionName, low: number, high: number): number {
    const text = this.text(name) ?? "";
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= low && value <= high) return value;
    throw new Error(`${name} must be a whole number from ${low} to ${high}, not "${text}".`);
  }

  choice<T extends string>(name: OptionName, choices: readonly T[]): T {
    const text = this.text(name) ?? "";
    const found = choices.find((choice) => choice === text);
    if (found !== undefined) return found;
    throw new Error(`${name} must be one of ${choices.join(", ")}, not "${text}".`);
  }

  isOn(name: OptionName): boolean {
    const flag = this.#flags[name];
    if (typeof flag === "boolean") return flag;
    const text = this.#variable(variableOf(name)) ?? "false";
    if (text === "true" || text === "false") return text === "true";
    throw new Error(`${variableOf(name)} must be true or false, not "${text}".`);
  }

  /** What is between commas, without white space around it. */
  list(name: OptionName): string[] {
    const parts = (this.text(name) ?? "").split(",").map((part) => part.trim());
    return parts.filter((part) => part !== "");
  }

  /** The text of the file that the option names. */
  file(name: OptionName): string | undefined {
    const path = this.text(name);
    return path === undefined ? undefined : readText(path, name);
  }

  /** A secret from its variable alone. */
  secret(variable: SecretVariable): Secret | undefined {
    const text = this.#variable(variable);
    return text === undefined ? undefined : new Secret(text);
  }

  /** A secret from its variable, or from the file that the variable with `_FILE` names. */
  secretOrFile(variable: SecretVariable): Secret | undefined {
    const secret = this.secret(variable);
    const path = this.#variable(`${variable}_FILE`);
    if (path === undefined) return secret;
    if (secret !== undefined) throw new Error(`Set ${variable} or ${variable}_FILE, not both.`);
    // An editor ends a file with a newline, which no secret has.
    return new Secret(readText(path, `${variable}_FILE`).replace(/\r?\n$/, ""));
  }

  #variable(name: string): string | undefined {
    const text = this.#env[name];
    return text === "" ? undefined : text;
  }
}

/** @throws {Error} with the path and the system's code, nothing of what is in the file. */
export function readText(path: string, name: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Error(`The file of ${name}, ${path}, cannot be read (${code ?? "unknown"}).`, { cause: error });
  }
}

function parseFlags(args: string[]): Readonly<Record<string, unknown>> {
  const flags = Object.entries<Option>(options).map(([name, option]) => {
    const type = option.value === undefined ? "boolean" : "string";
    return [name, { type }] as const;
  });
  try {
    return parseArgs({ args, options: Object.fromEntries(flags), allowNegative: true }).values;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    // What stands where no flag is may be a secret gone astray.
    if (code === "ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL") {
      throw new Error("Settings are given as --name value; see --help.", { cause: error });
    }
    throw new Error(message, { cause: error });
  }
}

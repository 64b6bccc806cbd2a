import type { ParseArgsConfig } from "node:util";
import type { Gateway } from "./gateway.ts";

export type Options = NonNullable<ParseArgsConfig["options"]>;

/** One command: how it is written, and what it does. */
export interface Command {
  readonly name: string;
  /** One line, for the list of commands. */
  readonly summary: string;
  /** What stands behind the name, such as `<group> [<partition>]`. */
  readonly parameters: string;
  /** How many of them there may be. */
  readonly least: number;
  readonly most: number;
  /** Beyond those that every command has. */
  readonly options?: Options;
  /** What `--help` tells beyond that, in lines of at most 80 characters. */
  readonly help: string;
  run(call: Call): Promise<Result>;
}

/** A command as it was called. */
export interface Call {
  readonly gateway: Gateway;
  readonly parameters: readonly string[];
  readonly values: Readonly<Record<string, unknown>>;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Columns of the terminal. */
  readonly width: number;
}

/** What a command found: for people, and for programs. */
export interface Result {
  readonly text: string;
  readonly json: unknown;
  /** Something was found wrong, or not done: exit code 1. */
  readonly hasFailed?: boolean;
}

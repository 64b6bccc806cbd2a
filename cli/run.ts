import { readArguments } from "./arguments.ts";
import { Failure, UsageError } from "./failure.ts";
import { Gateway } from "./gateway.ts";
import { printable } from "./table.ts";
import { findTarget } from "./target.ts";
import { usageOf } from "./usage.ts";

/** The process that it runs in. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Columns of the terminal. */
  readonly width: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

/** Runs one command line and answers its exit code. */
export async function runCommandLine(
  args: readonly string[],
  surroundings: Surroundings,
): Promise<0 | 1 | 2> {
  const { environment, err, now, out, width } = surroundings;
  try {
    const asked = readArguments(args);
    if (asked.kind === "help") {
      out(usageOf(asked.command));
      return 0;
    }
    const { command, isJson, parameters, target, values } = asked;
    const gateway = new Gateway(findTarget(target, environment));
    const result = await command.run({ gateway, parameters, values, now: now(), width });
    out(isJson ? `${JSON.stringify(result.json, null, 2)}\n` : result.text);
    return result.hasFailed === true ? 1 : 0;
  } catch (error) {
    if (error instanceof UsageError) {
      err(`gavel: ${printable(error.message)}. Try: npm run gavel -- --help\n`);
      return 2;
    }
    if (!(error instanceof Failure)) throw error;
    err(`gavel: ${printable(error.message)}\n`);
    return 1;
  }
}

import type { Command } from "./command.ts";
import { commands } from "./commands.ts";

const everywhere = `Every command
  --url <address>   the gateway (GAVEL_URL, or npm start's)
  --key <key>       a key with the scope operate (GAVEL_KEY, or npm start's)
  --json            what the gateway answers, for programs
  --help            about a command

Exit codes: 0 done, 1 refused, failed or something is wrong, 2 not understood.
`;

/** About one command, or about all of them. */
export function usageOf(command: Command | undefined): string {
  if (command === undefined) {
    const width = Math.max(...commands.map(({ name }) => name.length));
    const lines = commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
    return `npm run gavel -- <command>\n\n${lines.join("\n")}\n\n${everywhere}`;
  }
  const { help, name, parameters, summary } = command;
  return `npm run gavel -- ${`${name} ${parameters}`.trim()}\n\n${summary}.\n\n${help}\n\n${everywhere}`;
}

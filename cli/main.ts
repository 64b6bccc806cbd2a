/** `npm run gavel -- <command>`: operates a gateway from a terminal, over its HTTP interface. */
import { runCommandLine } from "./run.ts";

process.exitCode = await runCommandLine(process.argv.slice(2), {
  environment: process.env,
  width: process.stdout.columns ?? 80,
  now: () => Date.now(),
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
});

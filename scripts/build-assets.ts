/**
 * Makes what is deployed beside the Worker, in `dist/assets`. wrangler runs it before each build
 * (`[build]` in wrangler.toml), so that deploy, dev and the bundle's check have it.
 *
 * Usage: node scripts/build-assets.ts
 */
import { join } from "node:path";
import { buildAssets } from "./assets/assets.ts";

await buildAssets(join(import.meta.dirname, "..", "dist", "assets"));

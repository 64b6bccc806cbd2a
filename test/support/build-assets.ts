import { join } from "node:path";
import { buildAssets } from "../../scripts/assets/assets.ts";

/** Makes the Worker's assets, which the runtime of the tests takes from where wrangler.toml says. */
export function setup(): Promise<void> {
  return buildAssets(join(import.meta.dirname, "..", "..", "dist", "assets"));
}

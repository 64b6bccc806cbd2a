import { join } from "node:path";
import type { V4WorkerOptions } from "miniflare";

/** Where the bundle has them. */
export const assetsDirectory = "assets";

const name = "assets";

/**
 * The Worker beside the gateway that its assets belong to. Were they the gateway's own, Miniflare
 * would put a router in front of it, which every request would have to pass; so the gateway has
 * them by a service binding, which answers as the binding to assets does when deployed.
 */
export function assetsWorker(
  bundle: string,
  { assetConfig }: NonNullable<V4WorkerOptions["assets"]>,
): V4WorkerOptions {
  return {
    name,
    modules: true,
    script: "export default {};",
    assets: {
      directory: join(bundle, assetsDirectory),
      ...(assetConfig === undefined ? {} : { assetConfig }),
      routerConfig: { has_user_worker: false },
    },
    unsafeRegisterWorker: false,
  };
}

/** The gateway's settings with the assets in another Worker. */
export function withAssetsBound({ assets, ...settings }: V4WorkerOptions): V4WorkerOptions {
  if (assets?.binding === undefined) return settings;
  return { ...settings, serviceBindings: { ...settings.serviceBindings, [assets.binding]: name } };
}

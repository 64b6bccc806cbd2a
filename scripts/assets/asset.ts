/** A file that is deployed beside the Worker and that the Worker reads by `env.ASSETS`. */
export interface Asset {
  /** Path below the assets' directory, without folders. */
  readonly name: string;
  readonly make: () => Uint8Array | string | Promise<Uint8Array | string>;
}

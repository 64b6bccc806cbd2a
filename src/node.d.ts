/**
 * All of Node's that the Worker uses: what the runtime has for a reader of an mmdb file, and a digest at
 * once. Node's own types would let anything else in as well.
 */
declare module "node:buffer" {
  export const Buffer: { from(bytes: ArrayBuffer): Uint8Array };
}

declare module "node:crypto" {
  export function hash(algorithm: "sha256", text: string, encoding: "hex"): string;
}

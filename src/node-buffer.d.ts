/**
 * All of Node's that the Worker uses, and what the runtime has of it for a reader of an mmdb file. Node's
 * own types would let anything else in as well.
 */
declare module "node:buffer" {
  export const Buffer: { from(bytes: ArrayBuffer): Uint8Array };
}

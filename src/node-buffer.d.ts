/** What Gavel uses of Node's types in the Workers runtime; all of them would stand in for the platform's. */
declare module "node:buffer" {
  export const Buffer: { from(bytes: ArrayBuffer): Uint8Array };
}

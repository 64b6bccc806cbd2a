import { byteToHex } from "./hex.ts";

/**
 * Random bytes in hex, from a pool: one call to the system's generator serves some hundred ids,
 * which a batch of 1,000 events needs twice over.
 */
const poolBytes = 4096;

// Filled at first use and not while the module loads: Workers refuse randomness in global scope.
const pool = new Uint8Array(poolBytes);
let used = poolBytes;

/** `count` bytes (at most 4,096) as lower-case hex. */
export function randomHex(count: number): string {
  if (used + count > poolBytes) {
    crypto.getRandomValues(pool);
    used = 0;
  }
  let hex = "";
  for (const end = used + count; used < end; used += 1) hex += byteToHex[pool[used] ?? 0];
  return hex;
}

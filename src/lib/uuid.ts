import { randomHex } from "./random.ts";

/**
 * A UUID version 7 (RFC 9562): 48 bits of milliseconds since the epoch, then 74 random bits, so
 * that ids sort by the time they were made.
 */
export function uuidv7(now: number): string {
  const time = now.toString(16).padStart(12, "0");
  const random = randomHex(10);
  // The variant's two bits are 10: one of 8, 9, a, b.
  const variant = ((Number.parseInt(random.charAt(3), 16) & 0x3) | 0x8).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(0, 3)}-${variant}${random.slice(4, 7)}-${random.slice(8)}`;
}

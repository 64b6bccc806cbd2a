import { toHex } from "./hex.ts";
import { randomHex } from "./random.ts";

/** Room above a counter's random start: 2^47 ids in one millisecond. */
const counterBits = 47;

let millisecond = Number.NaN;
let prefix = "";
let counter = 0;

/**
 * A UUID version 7 (RFC 9562, section 6.2, method 2): 48 bits of milliseconds since the epoch, then
 * random bits, of which the last 48 count up within a millisecond. Ids made one after the other
 * sort in that order, and a batch of them costs little more than one.
 */
export function uuidv7(now: number): string {
  if (now !== millisecond) startMillisecond(now);
  counter += 1;
  return prefix + toHex(counter, 12);
}

function startMillisecond(now: number): void {
  millisecond = now;
  const time = now.toString(16).padStart(12, "0");
  const random = randomHex(10);
  // The variant's two bits are 10: one of 8, 9, a, b.
  const variant = ((Number.parseInt(random.charAt(3), 16) & 0x3) | 0x8).toString(16);
  prefix = `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(0, 3)}-${variant}${random.slice(4, 7)}-`;
  counter = Number.parseInt(random.slice(8), 16) % 2 ** counterBits;
}

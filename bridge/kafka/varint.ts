/**
 * Kafka's variable-length integers: signed numbers written so that small ones are short, whatever
 * their sign (zigzag), seven bits a byte. Source: Kafka's protocol, "varint" and "varlong".
 */

/** Beyond it the doubled number would not be exact. */
const LARGEST_EXACT = 2 ** 52 - 1;

/** Writes any safe integer; answers where it ends. */
export function writeVarint(target: Buffer, at: number, value: number): number {
  if (Math.abs(value) > LARGEST_EXACT) return writeLarge(target, at, value);
  let rest = value >= 0 ? 2 * value : -2 * value - 1;
  let write = at;
  while (rest >= 0x80) {
    target[write++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  target[write++] = rest;
  return write;
}

function writeLarge(target: Buffer, at: number, value: number): number {
  const large = BigInt(value);
  let rest = large >= 0n ? 2n * large : -2n * large - 1n;
  let write = at;
  while (rest >= 0x80n) {
    target[write++] = Number(rest & 0x7fn) | 0x80;
    rest >>= 7n;
  }
  target[write++] = Number(rest);
  return write;
}

export function varintBytes(value: number): number {
  if (Math.abs(value) > LARGEST_EXACT) return 8;
  let bytes = 1;
  const zigzag = value >= 0 ? 2 * value : -2 * value - 1;
  for (let rest = zigzag; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes++;
  return bytes;
}

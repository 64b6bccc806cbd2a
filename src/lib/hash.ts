/**
 * A fast 53-bit string hash (two multiply-and-xor lanes over UTF-16 code units, finished as
 * MurmurHash3 is). Not cryptographic: whoever uses it to find something compares what it found.
 */
export function hash53(text: string, seed = 0): number {
  let low = 0xdeadbeef ^ seed;
  let high = 0x41c6ce57 ^ seed;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    low = Math.imul(low ^ unit, 0x9e3779b1);
    high = Math.imul(high ^ unit, 0x5f356495);
  }
  low = Math.imul(low ^ (low >>> 16), 0x85ebca6b) ^ Math.imul(high ^ (high >>> 13), 0xc2b2ae35);
  high = Math.imul(high ^ (high >>> 16), 0x85ebca6b) ^ Math.imul(low ^ (low >>> 13), 0xc2b2ae35);
  return 0x100000000 * (0x1fffff & high) + (low >>> 0);
}

/** The same, 32 bits wide. */
export function hash32(text: string, seed = 0): number {
  return hash53(text, seed) >>> 0;
}
